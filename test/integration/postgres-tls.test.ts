import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chownSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type PostgresServer, startPostgres } from "@drydock/demo/stack/postgres.ts";
import { createPostgresParts } from "@drydock/job-controller/postgres/parts.ts";
import { systemClock } from "@drydock/shared/clock.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { Client } from "pg";

/** Gives the server a certificate of its own for 127.0.0.1, and lets nobody in without TLS. */
async function requireTls({ data, url }: PostgresServer): Promise<string> {
  const [certificate, key] = [join(data, "server.crt"), join(data, "server.key")];
  const subject = ["-subj", "/CN=drydock", "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", key, "-out", certificate];
  execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject, ...files], {
    stdio: "ignore",
  });
  const { uid, gid } = statSync(data);
  for (const file of [certificate, key]) chownSync(file, uid, gid);
  const client = new Client(url);
  await client.connect();
  await client.query("ALTER SYSTEM SET ssl = on");
  await client.query("SELECT pg_reload_conf()");
  await client.end();
  return certificate;
}

describe("PostgreSQL over TLS", () => {
  let server: PostgresServer;
  let certificate: string;
  before(async () => {
    server = await startPostgres();
    certificate = await requireTls(server);
  });
  after(() => server.stop());

  /** Why the store is not up; undefined when it is, and then whether its connections are encrypted is asked. */
  async function causeWith(parameters: string, host = "127.0.0.1"): Promise<string | undefined> {
    const url = `${server.url.replace("127.0.0.1", host)}?${parameters}`;
    const { watch, reportQueries } = createPostgresParts({
      config: { url, keepReportsMs: 1_000, reportsPerImage: 1 },
      checkLease: async () => {},
      clock: systemClock,
      logger: createLogger({ name: "test", level: "fatal" }),
    });
    await watch.start();
    const { cause } = watch;
    if (cause === undefined) {
      await reportQueries.history(1);
      assert.deepEqual(await encryptions(), [true]);
    }
    await watch.stop();
    return cause;
  }

  /** Whether the connections that there are to the store are encrypted. */
  async function encryptions(): Promise<boolean[]> {
    const client = new Client(server.url);
    await client.connect();
    const { rows } = await client.query(
      "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'drydock'",
    );
    await client.end();
    return rows.map(({ ssl }) => ssl);
  }

  test("require encrypts, whatever the certificate", async () => {
    assert.equal(await causeWith("sslmode=require"), undefined);
  });

  test("verify-full trusts the authority that sslrootcert names", async () => {
    const file = encodeURIComponent(certificate);
    assert.equal(await causeWith(`sslmode=verify-full&sslrootcert=${file}`), undefined);
  });

  test("verify-full refuses a certificate that nobody vouches for, with the remedy", async () => {
    assert.match(
      (await causeWith("sslmode=verify-full")) ?? "",
      /cannot be trusted: self-signed certificate\. Name its authority/,
    );
  });

  test("verify-full refuses a certificate of another host", async () => {
    const file = encodeURIComponent(certificate);
    const cause = await causeWith(`sslmode=verify-full&sslrootcert=${file}`, "localhost");
    assert.match(cause ?? "", /cannot be trusted: .*altnames/);
  });
});
