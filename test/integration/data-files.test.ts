import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { createExploitationFiles } from "@drydock/job-controller/feeds/exploitation-files.ts";
import { readFeed } from "@drydock/job-controller/feeds/read-feed.ts";
import { systemClock } from "@drydock/shared/clock.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { until } from "../support/until.ts";

const folder = mkdtempSync(join(tmpdir(), "drydock-data-files-"));
after(() => rmSync(folder, { recursive: true }));

const kev = (...names: string[]) =>
  JSON.stringify({ catalogVersion: "2026.11.30", vulnerabilities: names.map((cveID) => ({ cveID })) });
const epss = (...lines: string[]) => `#model_version:v1\ncve,epss,percentile\n${lines.join("\n")}\n`;
let writes = 0;

/** Writes the file, with a time of its own. */
function write(name: string, data: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, data);
  const at = 1_700_000_000 + ++writes;
  utimesSync(path, at, at);
  return path;
}

async function start(context: TestContext, files: { kevFile?: string; epssFile?: string }) {
  const lines: { msg: string; fault?: string }[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ name: "test", level: "info", format: "json", destination });
  const service = createExploitationFiles({
    ...{ kevFile: files.kevFile, epssFile: files.epssFile },
    ...{ clock: systemClock, logger, lookMs: 20 },
  });
  context.after(() => service.stop());
  await service.start();
  return { service, lines };
}

describe("the data files of an operator", () => {
  test("say what is exploited, as soon as the controller is up", async (context) => {
    const kevFile = write("kev.json", kev("CVE-2014-0160"));
    const epssFile = write("epss.csv.gz", gzipSync(epss("CVE-2014-0160,0.94464,0.9", "CVE-2014-6271,0.9,0.9")));
    const { service } = await start(context, { kevFile, epssFile });
    assert.deepEqual(service.of("CVE-2014-0160"), { knownExploited: true, epss: 0.94464 });
    assert.deepEqual(service.of("CVE-2014-6271"), { knownExploited: false, epss: 0.9 });
    assert.deepEqual(service.of("GHSA-jfh8-c2jp-5v3q"), { knownExploited: false, epss: 0 });
    assert.deepEqual(service.told(), { knownExploited: true, epss: true });
    const states = service
      .states()
      .map(({ setting, entryCount, version, fault }) => [setting, entryCount, version, fault]);
    assert.deepEqual(states, [
      ["DRYDOCK_KEV_FILE", 1, "2026.11.30", ""],
      ["DRYDOCK_EPSS_FILE", 2, "model_version:v1", ""],
    ]);
  });

  test("need not be there", async (context) => {
    const { service } = await start(context, {});
    assert.deepEqual(service.of("CVE-2014-0160"), { knownExploited: false, epss: 0 });
    assert.deepEqual(service.told(), { knownExploited: false, epss: false });
    assert.deepEqual(service.states(), []);
  });

  test("are read again when they change", async (context) => {
    const kevFile = write("changing.json", kev("CVE-2014-0160"));
    const { service } = await start(context, { kevFile });
    write("changing.json", kev("CVE-2014-6271"));
    await until(
      "the new one holds",
      async () => service.of("CVE-2014-6271"),
      ({ knownExploited }) => knownExploited,
    );
    assert.equal(service.of("CVE-2014-0160").knownExploited, false);
  });

  test("keep the last good one when they break, and tell it once in the log", async (context) => {
    const kevFile = write("breaking.json", kev("CVE-2014-0160"));
    const { service, lines } = await start(context, { kevFile });
    const faults: string[] = [];
    for (const broken of ["{", '{"vulnerabilities":[]}']) {
      const before = service.states()[0]?.fault;
      write("breaking.json", broken);
      const [state] = await until(
        "it is told",
        async () => service.states(),
        ([now]) => now?.fault !== before,
      );
      faults.push(state?.fault ?? "");
      assert.equal(service.of("CVE-2014-0160").knownExploited, true);
    }
    assert.deepEqual(
      lines.filter(({ fault }) => fault !== undefined).map(({ fault }) => fault),
      faults,
    );
    rmSync(kevFile);
    const fault = async () => service.states()[0]?.fault;
    await until("it is missed", fault, (text) => text === "cannot be read (ENOENT)");
    write("breaking.json", kev("CVE-2014-0160", "CVE-2014-6271"));
    await until("it is well again", fault, (text) => text === "");
    assert.equal(service.states()[0]?.entryCount, 2);
  });

  test("may be missing at the start, which is told", async (context) => {
    const { service, lines } = await start(context, { epssFile: join(folder, "later.csv") });
    assert.equal(service.states()[0]?.fault, "cannot be read (ENOENT)");
    assert.equal(lines.at(-1)?.msg, "a data file cannot be used; nothing of it is known");
    write("later.csv", epss("CVE-2014-0160,0.5,0.5"));
    await until(
      "it is read",
      async () => service.of("CVE-2014-0160").epss,
      (score) => score === 0.5,
    );
  });

  test("are read again when nothing but their rights has changed", async (context) => {
    const kevFile = write("rights.json", kev("CVE-2014-0160"));
    const { service, lines } = await start(context, { kevFile });
    const { mtimeMs } = statSync(kevFile);
    chmodSync(kevFile, 0o600);
    assert.equal(statSync(kevFile).mtimeMs, mtimeMs);
    await until(
      "it is read again",
      async () => lines.filter(({ msg }) => msg === "a data file was read").length,
      (count) => count === 2,
    );
    assert.equal(service.of("CVE-2014-0160").knownExploited, true);
  });

  test("that are no whole gzip, unpack to too much or are folders, are refused with words", async (context) => {
    const cut = write("cut.csv.gz", gzipSync(epss("CVE-2014-0160,0.5,0.5")).subarray(0, -10));
    assert.equal((await start(context, { epssFile: cut })).service.states()[0]?.fault, "is no whole gzip");
    const bomb = write("bomb.json", gzipSync(Buffer.alloc(40 * 1024 * 1024, " ")));
    assert.equal((await start(context, { kevFile: bomb })).service.states()[0]?.fault, "has more than 32 MiB");
    assert.equal((await start(context, { kevFile: folder })).service.states()[0]?.fault, "is no file");
  });

  test("with 300,000 lines are read in another thread, and hold nobody up", async (context) => {
    const lines = Array.from({ length: 300_000 }, (_, at) => {
      return `CVE-${2000 + (at % 26)}-${10_000 + Math.floor(at / 26)},${(at % 100_000) / 100_000},0.5`;
    });
    const epssFile = write("large.csv.gz", gzipSync(epss(lines.join("\n"))));
    // the time that this thread works, not the time that passes: other tests take the processor from it
    const worked = async (work: () => Promise<unknown>) => {
      const before = process.threadCpuUsage();
      await work();
      const { user, system } = process.threadCpuUsage(before);
      return (user + system) / 1_000;
    };
    const byThread = await worked(async () => {
      const { service } = await start(context, { epssFile });
      assert.equal(service.states()[0]?.entryCount, 300_000);
    });
    const byItself = await worked(() => readFeed("epss", epssFile));
    context.diagnostic(
      `${byThread.toFixed(0)} ms of this thread's work, ${byItself.toFixed(0)} ms to read it in this thread`,
    );
    assert.ok(byThread < byItself / 3, `${byThread} of ${byItself} ms`);
  });
});
