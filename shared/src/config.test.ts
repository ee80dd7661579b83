import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  ConfigError,
  grpcTarget,
  httpUrlThat,
  listenAddress,
  logFormat,
  logLevel,
  readConfig,
  type Variables,
  wholeNumber,
} from "./config.ts";

const httpUrl = httpUrlThat(() => undefined);

const variables = {
  DRYDOCK_LISTEN: { schema: listenAddress.default("127.0.0.1:50051"), example: "0.0.0.0:50051" },
  DRYDOCK_SLOTS: { schema: wholeNumber({ min: 1, max: 64 }).default(4), example: "8" },
  DRYDOCK_CLAIR_URL: { schema: httpUrl, example: "http://clair:6060" },
  DRYDOCK_PASSWORD: { schema: logLevel.optional(), secret: true, example: "info" },
} satisfies Variables;

const sound = { DRYDOCK_CLAIR_URL: "http://clair:6060/" };

function faultsOf(env: Record<string, string>, alsoKnown: string[] = []): readonly string[] {
  try {
    readConfig(variables, env, { alsoKnown });
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    for (const fault of error.faults) assert.ok(error.message.includes(fault));
    return error.faults;
  }
  return [];
}

function withFile(content: string, use: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "drydock-config-"));
  try {
    const path = join(folder, "secret");
    writeFileSync(path, content);
    use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("readConfig", () => {
  test("gives what the schemas make of the values, with their types", () => {
    const config = readConfig(variables, { ...sound, DRYDOCK_SLOTS: "8", PATH: "/bin" });
    const slots: number = config.DRYDOCK_SLOTS;
    assert.equal(slots, 8);
    assert.equal(config.DRYDOCK_LISTEN, "127.0.0.1:50051");
    assert.equal(config.DRYDOCK_CLAIR_URL, "http://clair:6060");
    assert.equal(config.DRYDOCK_PASSWORD, undefined);
  });

  test("takes an empty variable as one that is not set", () => {
    assert.equal(readConfig(variables, { ...sound, DRYDOCK_SLOTS: "" }).DRYDOCK_SLOTS, 4);
  });

  test("tells all faults at once, each with name, value, rule and example", () => {
    assert.deepEqual(faultsOf({ DRYDOCK_LISTEN: "nonsense", DRYDOCK_SLOTS: "0" }), [
      'DRYDOCK_LISTEN is "nonsense": must be host:port (port 0 takes a free one; IPv6 in brackets: [::1]:50051); e.g. DRYDOCK_LISTEN=0.0.0.0:50051',
      'DRYDOCK_SLOTS is "0": must be a whole number from 1 to 64; e.g. DRYDOCK_SLOTS=8',
      "DRYDOCK_CLAIR_URL is not set: it is required; e.g. DRYDOCK_CLAIR_URL=http://clair:6060",
    ]);
  });

  test("refuses an unknown variable and names the nearest known one", () => {
    assert.deepEqual(faultsOf({ ...sound, DRYDOCK_SLOT: "4", OTHER_SLOT: "4" }), [
      "DRYDOCK_SLOT is not known; do you mean DRYDOCK_SLOTS?",
    ]);
  });

  test("leaves the variables alone that Kubernetes sets for Services, and still finds one that is misspelt", () => {
    const env = {
      ...sound,
      DRYDOCK_CONTROLLER_PORT: "tcp://10.0.0.1:50051",
      DRYDOCK_CONTROLLER_SERVICE_HOST: "10.0.0.1",
    };
    assert.deepEqual(faultsOf(env), []);
    assert.deepEqual(faultsOf({ ...env, DRYDOCK_LISTEN_PORT: "50051" }), [
      "DRYDOCK_LISTEN_PORT is not known; do you mean DRYDOCK_LISTEN?",
    ]);
  });

  test("leaves the variables of the other service alone", () => {
    const env = { ...sound, DRYDOCK_REDIS_URL: "x", DRYDOCK_REDIS_URL_FILE: "x" };
    assert.deepEqual(faultsOf(env, ["DRYDOCK_REDIS_URL"]), []);
    assert.equal(faultsOf(env).length, 2);
  });

  test("never shows a secret", () => {
    const [fault] = faultsOf({ ...sound, DRYDOCK_PASSWORD: "hunter2" });
    assert.match(fault ?? "", /^DRYDOCK_PASSWORD has a value \(not shown\)/);
    assert.doesNotMatch(fault ?? "", /hunter2/);
  });

  test("hides the credentials in a URL that has some", () => {
    const [fault] = faultsOf({ DRYDOCK_CLAIR_URL: "http://user:hunter2@clair:6060" });
    assert.match(fault ?? "", /^DRYDOCK_CLAIR_URL is "http:\/\/\[hidden\]@clair:6060": must be/);
  });

  test("reads a secret from the file that NAME_FILE names, less its last line break", () => {
    withFile("warn\n", (path) => {
      assert.equal(readConfig(variables, { ...sound, DRYDOCK_PASSWORD_FILE: path }).DRYDOCK_PASSWORD, "warn");
    });
  });

  test("refuses a secret that is given both ways", () => {
    withFile("warn", (path) => {
      const faults = faultsOf({ ...sound, DRYDOCK_PASSWORD: "warn", DRYDOCK_PASSWORD_FILE: path });
      assert.deepEqual(faults, ["DRYDOCK_PASSWORD and DRYDOCK_PASSWORD_FILE are both set: set one of them"]);
    });
  });

  test("tells which secret's file it can't read", () => {
    const [fault] = faultsOf({ ...sound, DRYDOCK_PASSWORD_FILE: "/nowhere/secret" });
    assert.match(fault ?? "", /^DRYDOCK_PASSWORD_FILE is "\/nowhere\/secret": can't read that file \(ENOENT\)/);
  });

  test("knows NAME_FILE for secrets only", () => {
    assert.match(faultsOf({ ...sound, DRYDOCK_LISTEN_FILE: "x" })[0] ?? "", /DRYDOCK_LISTEN_FILE is not known/);
  });
});

describe("the kinds of values", () => {
  const cases = [
    [
      "a listen address",
      listenAddress,
      ["127.0.0.1:0", "[::1]:50051", "host:65535"],
      ["host", ":1", "::1:1", "h:65536", "h:x", "http://h:1"],
    ],
    [
      "a gRPC target",
      grpcTarget,
      ["controller:50051", "dns:///controller:50051", "unix:/run/drydock.sock"],
      ["controller", "controller:0", "http://controller:1", ""],
    ],
    [
      "an HTTP URL",
      httpUrl,
      ["http://clair:6060", "https://clair/path"],
      ["clair:6060", "ftp://clair", "http://user:secret@clair", "http://", "http://clair/?a=1", '"http://clair"'],
    ],
    ["a log level", logLevel, ["info", "silent"], ["INFO", "loud"]],
    ["a log format", logFormat, ["json", "pretty"], ["yaml"]],
    ["a whole number", wholeNumber({ min: 0, max: 10 }), ["0", "10"], ["-1", "11", "1.5", "1e1", "x", " 1"]],
  ] as const;

  for (const [name, schema, good, bad] of cases) {
    test(`${name} takes ${good.join(", ")} and nothing like ${bad.join(", ")}`, () => {
      for (const text of good) assert.ok(schema.safeParse(text).success, text);
      for (const text of bad) assert.ok(!schema.safeParse(text).success, text);
    });
  }
});

test("an HTTP URL without a scheme is told with one, and one with a query without", () => {
  const messageOf = (text: string) => httpUrl.safeParse(text).error?.issues[0]?.message ?? "";
  assert.match(messageOf("clair:6060"), /as in https:\/\/clair:6060$/);
  assert.match(messageOf("http://clair/base/?a=1#b"), /: http:\/\/clair\/base$/);
  assert.match(messageOf("http://user:secret@clair"), /without a user name/);
});
