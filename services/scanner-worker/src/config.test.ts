import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError } from "@drydock/shared/config.ts";
import { readWorkerConfig } from "./config.ts";

function faultOf(env: Record<string, string>): string {
  try {
    readWorkerConfig(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.faults.join("\n");
  }
  return "";
}

describe("the URL of a registry", () => {
  const mistakes: [given: string, meant: string][] = [
    ["https://docker.io", "https://registry-1.docker.io"],
    ["https://docker.io/", "https://registry-1.docker.io"],
    ["https://docker.io.", "https://registry-1.docker.io"],
    ["docker.io", "https://registry-1.docker.io"],
    ["http://docker.io/library", "https://registry-1.docker.io"],
    ["https://index.docker.io", "https://registry-1.docker.io"],
    ["https://index.docker.io/v1/", "https://registry-1.docker.io"],
    ["https://HUB.docker.com/r/library/debian", "https://registry-1.docker.io"],
    ["https://github.com/owner/repository", "https://ghcr.io"],
    ["https://registry.example.com/v2", "https://registry.example.com"],
    ["https://registry.example.com/v2/", "https://registry.example.com"],
    ["https://registry.example.com/V2/", "https://registry.example.com"],
    ["https://registry.example.com/v2/_catalog", "https://registry.example.com"],
    ["https://example.com/artifactory/api/docker/local/v2", "https://example.com/artifactory/api/docker/local"],
    ["registry.example.com/v2/", "https://registry.example.com"],
    ["https://harbor.example.com/harbor/projects", "https://harbor.example.com"],
    ["https://example.com/ui/repos/tree", "https://example.com"],
    ["https://nexus.example.com/#browse/browse:docker", "https://nexus.example.com"],
    ["https://registry.example.com/?n=10", "https://registry.example.com"],
    ["registry.example.com:5000", "https://registry.example.com:5000"],
    ["localhost:5000", "https://localhost:5000"],
  ];
  for (const [given, meant] of mistakes) {
    test(`${given} is refused, and ${meant} named`, () => {
      for (const name of ["DRYDOCK_REGISTRY_URL", "DRYDOCK_REGISTRY_SCANNER_URL"]) {
        const [rule = ""] = faultOf({ [name]: given }).split("; e.g. ");
        assert.ok(rule.startsWith(`${name} is "${given}": `), rule);
        assert.ok(rule.endsWith(` ${meant}`), rule);
      }
      assert.equal(faultOf({ DRYDOCK_REGISTRY_URL: meant }), "");
    });
  }

  for (const url of [
    "https://registry-1.docker.io",
    "https://registry.example.com/v2x",
    "https://example.com/repository/docker-hosted",
    "http://127.0.0.1:5000/",
    "https://docker.io.example.com",
  ]) {
    test(`${url} is fine`, () => assert.equal(faultOf({ DRYDOCK_REGISTRY_URL: url }), ""));
  }
});

describe("the URL of Clair", () => {
  for (const end of ["/v1", "/v1/", "/v1/layers", "/matcher/api/v1", "/indexer/api/v1/index_report", "/health"]) {
    test(`is named without ${end}`, () => {
      const [rule = ""] = faultOf({ DRYDOCK_CLAIR_URL: `http://clair:6060/base${end}` }).split("; e.g. ");
      assert.ok(rule.endsWith(": http://clair:6060/base"), rule);
    });
  }
});

describe("token servers", () => {
  test("are listed by their origins", () => {
    const listed = " https://auth.example.net , HTTPS://Auth.example.org:443/,http://tokens:8080";
    assert.deepEqual(readWorkerConfig({ DRYDOCK_REGISTRY_TOKEN_ORIGINS: listed }).scan.registryTokenOrigins, [
      "https://auth.example.net",
      "https://auth.example.org",
      "http://tokens:8080",
    ]);
    for (const [text, words] of [
      ["auth.example.net", "by commas"],
      ["https://a.test,", "by commas"],
      ["https://a.test https://b.test", "by commas"],
      ["https://a.test/token", "origins alone: https://a.test"],
      ["https://user:secret@a.test", "origins alone: https://a.test"],
    ] as const) {
      const fault = faultOf({ DRYDOCK_REGISTRY_TOKEN_ORIGINS: text });
      assert.ok(fault.includes(words), fault);
      assert.ok(!fault.includes("secret"), fault);
    }
  });

  test("are named with their path, and not without https for a registry with https", () => {
    const tokens = { DRYDOCK_REGISTRY_TOKEN_URL: "http://tokens:8080/auth/?a=1" };
    assert.equal(readWorkerConfig(tokens).scan.registryTokenUrl, "http://tokens:8080/auth/?a=1");
    assert.equal(faultOf({ ...tokens, DRYDOCK_REGISTRY_URL: "http://registry" }), "");
    assert.match(faultOf({ ...tokens, DRYDOCK_REGISTRY_URL: "https://registry" }), /TOKEN_URL is an http:\/\/ URL/);
    assert.match(faultOf({ DRYDOCK_REGISTRY_TOKEN_URL: "tokens:8080" }), /must be an http:\/\/ or https:\/\/ URL/);
  });
});

test("a user name and a password are set both or neither", () => {
  const [username, password] = [{ DRYDOCK_REGISTRY_USERNAME: "scanner" }, { DRYDOCK_REGISTRY_PASSWORD: "secret" }];
  for (const [env, words] of [
    [username, "DRYDOCK_REGISTRY_USERNAME is set and DRYDOCK_REGISTRY_PASSWORD is not: set both"],
    [password, "DRYDOCK_REGISTRY_PASSWORD is set and DRYDOCK_REGISTRY_USERNAME is not: set both"],
    [{ ...username, DRYDOCK_REGISTRY_PASSWORD: "" }, "DRYDOCK_REGISTRY_PASSWORD is not: set both"],
  ] as const) {
    const fault = faultOf({ ...env });
    assert.ok(fault.includes(words), fault);
    assert.ok(!fault.includes("secret"), fault);
  }
  assert.equal(faultOf({ ...username, ...password }), "");
  const tokens = { DRYDOCK_REGISTRY_URL: "https://r.test", DRYDOCK_REGISTRY_TOKEN_URL: "http://tokens" };
  assert.equal(faultOf({ ...username, ...tokens }).split("\n").length, 2);
});

test("a proxy by https is refused where gRPC would have to go by it", () => {
  const proxy = { HTTPS_PROXY: "https://proxy:3128" };
  const controller = { DRYDOCK_CONTROLLER: "dns:///controller:50051" };
  assert.match(faultOf({ ...proxy, ...controller }), /add controller to NO_PROXY$/);
  assert.equal(faultOf({ ...proxy, ...controller, NO_PROXY: "controller" }), "");
  assert.equal(faultOf(proxy), "");
});

test("faults of proxies are told with all others", () => {
  const env = { http_proxy: "socks5://a", HTTPS_PROXY: "socks5://b", DRYDOCK_SLOTS: "none" };
  assert.deepEqual(
    faultOf(env)
      .split("\n")
      .map((fault) => fault.split(" ")[0]),
    ["DRYDOCK_SLOTS", "http_proxy", "HTTPS_PROXY"],
  );
});

test("variables that do not fit each other are told with all other faults", () => {
  const faults = faultOf({
    DRYDOCK_SLOTS: "0",
    HTTP_PROXY: "ftp://proxy",
    DRYDOCK_REGISTRY_PASSWORD: "x",
    DRYDOCK_REGISTRY_URL: "https://registry.example.com",
    DRYDOCK_REGISTRY_TOKEN_URL: "http://tokens:8080",
  }).split("\n");
  assert.deepEqual(
    faults.map((line) => line.split(" ")[0]),
    ["DRYDOCK_SLOTS", "DRYDOCK_REGISTRY_TOKEN_URL", "DRYDOCK_REGISTRY_PASSWORD", "HTTP_PROXY"],
  );
});

test("a password whose file can't be read is not called missing as well", () => {
  const faults = faultOf({ DRYDOCK_REGISTRY_USERNAME: "scanner", DRYDOCK_REGISTRY_PASSWORD_FILE: "/nowhere/password" });
  assert.match(faults, /^DRYDOCK_REGISTRY_PASSWORD_FILE is "\/nowhere\/password": [^\n]*$/);
});

test("one way to log in to the registry is set", () => {
  const password = { DRYDOCK_REGISTRY_USERNAME: "scanner", DRYDOCK_REGISTRY_PASSWORD: "secret-1" };
  const identity = { DRYDOCK_REGISTRY_IDENTITY_TOKEN: "secret-2" };
  const harbor = { DRYDOCK_REGISTRY_HARBOR_SECRET: "secret-3" };
  for (const one of [password, identity, harbor]) assert.equal(faultOf(one), "");
  for (const [env, named] of [
    [{ ...password, ...identity }, "DRYDOCK_REGISTRY_USERNAME and DRYDOCK_REGISTRY_IDENTITY_TOKEN are set"],
    [{ ...harbor, ...identity }, "DRYDOCK_REGISTRY_IDENTITY_TOKEN and DRYDOCK_REGISTRY_HARBOR_SECRET are set"],
  ] as const) {
    const fault = faultOf({ ...env });
    assert.ok(fault.startsWith(named), fault);
    assert.doesNotMatch(fault, /secret-/);
  }
});
