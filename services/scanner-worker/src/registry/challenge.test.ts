import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { knownChallenges, parseChallenges } from "./challenge.ts";

describe("a WWW-Authenticate header", () => {
  test("keeps commas inside quoted values", () => {
    const header =
      'Bearer realm="https://core.example/service/token",service="harbor-registry",scope="repository:a/b:pull,push"';
    assert.deepEqual(parseChallenges(header), [
      {
        scheme: "bearer",
        parameters: {
          realm: "https://core.example/service/token",
          service: "harbor-registry",
          scope: "repository:a/b:pull,push",
        },
      },
    ]);
  });

  test("may hold several challenges, joined by commas", () => {
    const header = 'Basic realm="a, b", Negotiate, BEARER Realm = "https://t.example/" , service=x';
    assert.deepEqual(parseChallenges(header), [
      { scheme: "basic", parameters: { realm: "a, b" } },
      { scheme: "negotiate", parameters: {} },
      { scheme: "bearer", parameters: { realm: "https://t.example/", service: "x" } },
    ]);
  });

  test("may escape quotes and backslashes", () => {
    assert.deepEqual(parseChallenges('Basic realm="say \\"hi\\" \\\\"')[0]?.parameters, { realm: 'say "hi" \\' });
  });

  test("may hold a token68, which is passed over", () => {
    const schemes = parseChallenges('NTLM TlRMTVNTUAAB/+A==, Basic realm="x"').map(({ scheme }) => scheme);
    assert.equal(schemes[0], "ntlm");
    assert.equal(schemes.at(-1), "basic");
  });

  test("is read as far as it goes when its last quote is missing", () => {
    assert.equal(
      parseChallenges('Bearer realm="https://t.example/token')[0]?.parameters.realm,
      "https://t.example/token",
    );
  });

  test("is answered by Bearer before Basic, and by no other", () => {
    const schemes = (header: string) =>
      knownChallenges(header).map(({ scheme, parameters }) => [scheme, parameters.realm]);
    assert.deepEqual(schemes('Basic realm="x", Bearer realm="y", BEARER realm="z"'), [
      ["bearer", "y"],
      ["bearer", "z"],
      ["basic", "x"],
    ]);
    assert.deepEqual(schemes('Digest realm="y", Basic realm="x"'), [["basic", "x"]]);
    assert.deepEqual(schemes('Digest realm="y"'), []);
    assert.deepEqual(schemes(""), []);
  });

  test("may name a scheme alone beside another", () => {
    for (const header of ['Bearer, Basic realm="x"', 'basic realm="x", BEARER', 'Basic realm="x" , Bearer ,']) {
      assert.deepEqual(
        knownChallenges(header).map(({ scheme, parameters }) => [scheme, parameters.realm]),
        [
          ["bearer", undefined],
          ["basic", "x"],
        ],
        header,
      );
    }
  });

  test("gives no parameter a second value", () => {
    assert.equal(parseChallenges('Bearer realm="https://a/",realm="https://b/"')[0]?.parameters.realm, "https://a/");
  });

  const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
  const value = fc.string({ maxLength: 30 });
  const parameters = fc.dictionary(name, value, { minKeys: 1, maxKeys: 5, noNullPrototype: true });
  const scheme = fc.constantFrom("bearer", "basic", "digest");
  const challenge = fc.record({ scheme, parameters }, { noNullPrototype: true });

  test("gives back what was written, whatever the values are", () => {
    const quote = (text: string) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
    fc.assert(
      fc.property(
        fc.array(challenge, { maxLength: 4 }),
        fc.constantFrom(",", ", ", " ,  "),
        (challenges, separator) => {
          const written = challenges.map(({ scheme, parameters }) => {
            const pairs = Object.entries(parameters).map(([key, text]) => `${key}=${quote(text)}`);
            return `${scheme} ${pairs.join(separator)}`;
          });
          assert.deepEqual(parseChallenges(written.join(separator)), challenges);
        },
      ),
    );
  });

  test("never throws and always comes to an end", () => {
    const piece = fc.constantFrom("Bearer", "Basic", " ", ",", "=", '"', "\\", "realm", "é", "\n", "a/b==");
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join("")),
        (text) => void parseChallenges(text),
      ),
    );
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseChallenges(text)));
  });
});
