import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HttpRequest } from "./http-exchange.ts";
import { createRegistryClients, type RegistryClientsOptions } from "./registry-clients.ts";
import { type Answer, challenge, failsWith, scriptedHttp, to } from "./test-kit.ts";

const registry = "https://registry.example.com";
const credential = { kind: "basic", username: "scanner", password: "password" } as const;
const manifest: Answer = {
  status: 200,
  headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
  body: JSON.stringify({ manifests: [] }),
};
const token: Answer = { status: 200, body: '{"token":"t"}' };
const ownRealm = `Bearer realm="${registry}/token",service="x"`;
const evilRealm = 'Bearer realm="https://evil.test/token",service="x"';

/** A client of a registry that answers by the script, and the requests as "host: Authorization's scheme". */
function open(script: (request: HttpRequest) => Answer, options: Partial<RegistryClientsOptions> = {}) {
  const http = scriptedHttp(script);
  const client = createRegistryClients({ http, credential, ...options }).open(registry, registry);
  const get = () => client.getManifest("library/web", "1.0", new AbortController().signal);
  const asked = () =>
    http.requests.map(({ url, headers }) => {
      const { host, pathname } = new URL(url);
      return `${host}${pathname.replace(/web.*/, "web")} ${headers?.authorization?.split(" ")[0] ?? "-"}`;
    });
  return { get, asked };
}

const isPing = ({ url }: HttpRequest) => url === `${registry}/v2/`;
const isToken = ({ url }: HttpRequest) => url.includes("/token");
const isProven = ({ headers }: HttpRequest) => headers?.authorization !== undefined;

/** A registry that gives a bad answer at the ping or for the manifest, until it is mended. */
function mendingRegistry(where: "ping" | "manifest", bad: Answer) {
  const answers: Record<string, Answer> = { ping: challenge(ownRealm), manifest, [where]: bad };
  const script = (request: HttpRequest) => {
    if (isToken(request)) return request.url.includes("?none") ? { status: 404 } : token;
    return answers[isProven(request) ? "manifest" : "ping"] ?? bad;
  };
  const mend = () => Object.assign(answers, { ping: challenge(ownRealm), manifest });
  return { script, mend };
}

describe("credentials", () => {
  test("do not go where another origin says that the registry redirects to", async () => {
    for (const demand of [evilRealm, 'Basic realm="x"', ownRealm]) {
      const { get, asked } = open((request) => {
        if (isPing(request)) return { status: 200 };
        return request.url.startsWith(registry) ? to("https://storage.test/v2/library/web?x=1") : challenge(demand);
      });
      for (let times = 0; times < 2; times += 1) {
        await assert.rejects(get(), failsWith("ACCESS_DENIED", "at storage.test, where it redirects to"));
      }
      assert.deepEqual(new Set(asked().map((line) => line.split(" ")[1])), new Set(["-"]));
      assert.ok(!asked().some((line) => line.startsWith("evil")));
    }
  });

  test("do not go to a stranger that the registry itself names, unless the operator lists it", async () => {
    const script = (request: HttpRequest) => {
      if (isToken(request)) return token;
      return request.headers?.authorization === "Bearer t" ? manifest : challenge(evilRealm);
    };
    const { get, asked } = open(script);
    await assert.rejects(get(), failsWith("REGISTRY_REALM_REFUSED", "DRYDOCK_REGISTRY_TOKEN_ORIGINS"));
    assert.deepEqual(asked(), ["registry.example.com/v2/ -"]);
    const listed = open(script, { tokenOrigins: ["https://evil.test"] });
    await listed.get();
    assert.ok(listed.asked().includes("evil.test/token Basic"));
  });

  test("are not taken along when a token server redirects to another origin", async () => {
    const { get, asked } = open((request) => {
      if (request.url.startsWith("https://evil")) return token;
      return isToken(request) ? to("https://evil.test/token") : challenge(ownRealm);
    });
    await assert.rejects(get(), failsWith("REGISTRY_REDIRECT_REFUSED", "realm or DRYDOCK_REGISTRY_TOKEN_URL"));
    assert.deepEqual(asked(), ["registry.example.com/v2/ -", "registry.example.com/token Basic"]);
  });

  test("go to https on the host of an http registry that redirects there, and by what it says then", async () => {
    const http = scriptedHttp((request) => {
      const { protocol, href } = new URL(request.url);
      if (protocol === "http:") return to(href.replace("http:", "https:"), 308);
      if (isToken(request)) return token;
      return request.headers?.authorization === "Bearer t" ? manifest : challenge(ownRealm);
    });
    const client = createRegistryClients({ http, credential }).open("http://registry.example.com", registry);
    await client.getManifest("library/web", "1.0", new AbortController().signal);
    assert.equal(http.requests.length, 5);
  });
});

describe("the way to be let in", () => {
  const refusals: [name: string, answer: Answer, reason: string][] = [
    ["names a stranger", challenge(evilRealm), "REGISTRY_REALM_REFUSED"],
    ["names plain http", challenge(`Bearer realm="http://registry.example.com/token"`), "REGISTRY_REALM_REFUSED"],
    ["names nothing", challenge("Bearer"), "REGISTRY_AUTH_UNSUPPORTED"],
    ["is of no known kind", challenge("Negotiate"), "REGISTRY_AUTH_UNSUPPORTED"],
    ["says nothing", { status: 401 }, "REGISTRY_AUTH_REJECTED"],
    [
      "leads to a token server that is none",
      challenge(`Bearer realm="${registry}/token?none"`),
      "REGISTRY_AUTH_UNSUPPORTED",
    ],
  ];
  for (const [name, bad, reason] of refusals) {
    for (const where of ["ping", "manifest"] as const) {
      test(`is asked for again after a 401 of the ${where} that ${name}`, async () => {
        const mending = mendingRegistry(where, bad);
        const { get } = open(mending.script);
        await assert.rejects(get(), failsWith(reason));
        mending.mend();
        assert.equal((await get()).kind, "index");
      });
    }
  }

  const source = "the registry's realm or DRYDOCK_REGISTRY_TOKEN_URL";
  for (const [status, tokenUrl, words] of [
    [400, "http://tokens.test/token", `DRYDOCK_REGISTRY_PASSWORD, or check whether ${source} should be https://`],
    [400, "https://tokens.test/token", `DRYDOCK_REGISTRY_PASSWORD, or check ${source}`],
    [404, "https://tokens.test/token", `the token server at tokens.test answered 404; check ${source}`],
  ] as const) {
    test(`names what to check when ${tokenUrl} answers ${status}`, async () => {
      const { get } = open((request) => (isToken(request) ? { status } : challenge(ownRealm)), { tokenUrl });
      const reason = status === 400 ? "REGISTRY_AUTH_REJECTED" : "REGISTRY_AUTH_UNSUPPORTED";
      await assert.rejects(get(), failsWith(reason, words));
    });
  }

  test("is asked for once as long as it works", async () => {
    const { get, asked } = open((request) => {
      if (isToken(request)) return token;
      return request.headers?.authorization === "Bearer t" ? manifest : challenge(ownRealm);
    });
    await Promise.all([get(), get()]);
    await get();
    assert.equal(asked().filter((line) => line.startsWith("registry.example.com/v2/ ")).length, 1);
  });

  const besideBasic: [name: string, header: string][] = [
    ["names no token server", 'Bearer, Basic realm="x"'],
    ["names no token server, after it", 'BASIC realm="a, Bearer b", bearer service="x"'],
    ["names a stranger", `${evilRealm}, Basic realm="x"`],
    ["names plain http", `Bearer realm="http://registry.example.com/token", Basic realm="x"`],
    ["names no web address", 'Bearer realm="token", Basic realm="x"'],
    ["leads to a token server that is none", `Bearer realm="${registry}/token",Basic realm="x"`],
  ];
  for (const [name, header] of besideBasic) {
    test(`is Basic beside a Bearer that ${name}`, async () => {
      const script = (request: HttpRequest) => {
        if (isToken(request)) return { status: 404 };
        return isProven(request) ? manifest : challenge(header);
      };
      const { get, asked } = open(script);
      assert.equal((await get()).kind, "index");
      assert.equal(asked().at(-1), "registry.example.com/v2/library/web Basic");
      const anybody = open(script, { credential: { kind: "none" } });
      await assert.rejects(anybody.get(), failsWith("REGISTRY_AUTH_REJECTED", "wants credentials"));
    });
  }

  test("is the second Bearer beside one that can't be used", async () => {
    const { get } = open((request) => {
      if (isToken(request)) return token;
      return request.headers?.authorization === "Bearer t" ? manifest : challenge(`${evilRealm}, ${ownRealm}`);
    });
    assert.equal((await get()).kind, "index");
  });

  test("is not Basic when the token server refuses the credentials, or fails", async () => {
    for (const [status, reason] of [
      [401, "REGISTRY_AUTH_REJECTED"],
      [503, "REGISTRY_FAULT"],
    ] as const) {
      const { get, asked } = open((request) =>
        isToken(request) ? { status } : challenge(`${ownRealm}, Basic realm="x"`),
      );
      await assert.rejects(get(), failsWith(reason));
      assert.deepEqual(asked(), ["registry.example.com/v2/ -", "registry.example.com/token Basic"]);
    }
  });

  test("may be told by redirects within the origin, and with any 2xx", async () => {
    const { get, asked } = open((request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/v2/") return to("/registry/v2/");
      if (pathname === "/token") return to(`/auth/token${search}`);
      if (pathname === "/auth/token") return { ...token, status: 201 };
      return request.headers?.authorization === "Bearer t" ? { ...manifest, status: 203 } : challenge(ownRealm);
    });
    assert.equal((await get()).kind, "index");
    assert.deepEqual(asked(), [
      "registry.example.com/v2/ -",
      "registry.example.com/registry/v2/ -",
      "registry.example.com/token Basic",
      "registry.example.com/auth/token Basic",
      "registry.example.com/v2/library/web Bearer",
    ]);
    const open204 = open((request) => (isPing(request) ? { status: 204 } : manifest));
    assert.equal((await open204.get()).kind, "index");
  });

  test("is not told by a page elsewhere", async () => {
    const { get } = open(() => to("https://login.test/"));
    await assert.rejects(
      get(),
      failsWith("REGISTRY_REDIRECT_REFUSED", "name the address there in DRYDOCK_REGISTRY_URL"),
    );
  });

  test("fails for now when it goes round in circles", async () => {
    const { get } = open((request) => (isToken(request) ? to(request.url) : challenge(ownRealm)));
    await assert.rejects(get(), failsWith("REGISTRY_FAULT", "registry.example.com redirects in a circle"));
  });
});
