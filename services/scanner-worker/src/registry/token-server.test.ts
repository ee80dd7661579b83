import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { JobFailure } from "../domain/job-failure.ts";
import type { Credential } from "./credential.ts";
import type { HttpRequest } from "./http-exchange.ts";
import { createRegistryClients } from "./registry-clients.ts";
import { type Answer, challenge, failsWith, scriptedHttp, to } from "./test-kit.ts";

const registry = "https://registry.example.com";
const signal = new AbortController().signal;
const token: Answer = { status: 200, body: '{"access_token":"t","expires_in":300,"refresh_token":"another"}' };
const index: Answer = { status: 200, body: JSON.stringify({ manifests: [] }) };
const identity: Credential = { kind: "identity", token: "r/e+f" };
const isToken = ({ url }: HttpRequest) => url.includes("/token");

/** A client of a registry whose token server answers by the script. */
function open(credential: Credential, script: (request: HttpRequest) => Answer) {
  const http = scriptedHttp((request) => {
    if (isToken(request)) return script(request);
    if (request.headers?.authorization === "Bearer t") return index;
    return challenge(`Bearer realm="${registry}/token?x=1",service="a b"`);
  });
  const client = createRegistryClients({ http, credential }).open(registry, registry);
  const get = (repository = "library/web") => client.getManifest(repository, "1.0", signal);
  const asked = () => http.requests.filter(isToken);
  return { get, asked };
}

describe("an identity token", () => {
  test("is shown by POST, in the form of OAuth 2, once for each repository", async () => {
    const { get, asked } = open(identity, () => token);
    await Promise.all([get(), get()]);
    await get();
    await get("library/debian");
    const [first, second, ...others] = asked();
    assert.deepEqual(others, []);
    assert.deepEqual([first?.method, first?.url], ["POST", `${registry}/token?x=1`]);
    assert.equal(first?.headers?.["content-type"], "application/x-www-form-urlencoded");
    assert.equal(first?.headers?.authorization, undefined);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(first?.body)), {
      grant_type: "refresh_token",
      refresh_token: "r/e+f",
      service: "a b",
      client_id: "drydock",
      scope: "repository:library/web:pull",
    });
    assert.match(second?.body ?? "", /scope=repository%3Alibrary%2Fdebian%3Apull$/);
  });

  for (const status of [404, 405]) {
    test(`is shown by GET where POST is answered ${status}`, async () => {
      const { get, asked } = open(identity, ({ method }) => (method === "POST" ? { status } : token));
      assert.equal((await get()).kind, "index");
      const [, second] = asked();
      assert.deepEqual([second?.method, new URL(second?.url ?? "").searchParams.get("service")], ["GET", "a b"]);
      assert.equal(second?.headers?.authorization, `Basic ${btoa("<token>:r/e+f")}`);
      assert.equal(second?.body, undefined);
    });
  }

  test("that is refused is the worker's fault, and named by its setting alone", async () => {
    const { get, asked } = open(identity, () => ({ status: 400, body: '{"error":"invalid_grant"}' }));
    await assert.rejects(get(), (thrown: unknown) => {
      failsWith("REGISTRY_AUTH_REJECTED", "set DRYDOCK_REGISTRY_IDENTITY_TOKEN")(thrown);
      assert.ok(thrown instanceof JobFailure);
      assert.deepEqual([thrown.fault, thrown.closesType, thrown.message.includes("r/e")], ["worker", true, false]);
      return true;
    });
    assert.equal(asked().length, 1);
  });

  test("goes to no other origin that the token server redirects to", async () => {
    const { get, asked } = open(identity, () => to("https://evil.test/token", 308));
    await assert.rejects(get(), failsWith("REGISTRY_REDIRECT_REFUSED"));
    assert.equal(asked().length, 1);
  });

  test("is of no use where a password is wanted", async () => {
    const http = scriptedHttp(() => challenge('Basic realm="x"'));
    for (const credential of [identity, { kind: "harbor-secret", secret: "s" }] as const) {
      const client = createRegistryClients({ http, credential }).open(registry, registry);
      await assert.rejects(
        client.getManifest("library/web", "1.0", signal),
        failsWith("REGISTRY_AUTH_REJECTED", "DRYDOCK_REGISTRY_PASSWORD"),
      );
    }
    assert.ok(http.requests.every(({ headers }) => headers?.authorization === undefined));
  });
});

test("a password is shown by GET, and so is Harbor's secret", async () => {
  for (const [credential, header] of [
    [{ kind: "basic", username: "u", password: "p" }, `Basic ${btoa("u:p")}`],
    [{ kind: "harbor-secret", secret: "s3cr3t" }, "Harbor-Secret s3cr3t"],
  ] as const) {
    const { get, asked } = open(credential, () => token);
    await get();
    assert.deepEqual(
      asked().map(({ method, headers }) => [method, headers?.authorization]),
      [["GET", header]],
    );
  }
});
