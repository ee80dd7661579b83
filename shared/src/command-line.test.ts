import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { readCommandLine } from "./command-line.ts";

const help = {
  name: "a-service",
  description: "serves.",
  settings: {
    DRYDOCK_LISTEN: { schema: z.string().default("127.0.0.1:1"), description: "Where it listens." },
    DRYDOCK_URL: { schema: z.string().optional(), description: "Whom it asks." },
  },
};

describe("the command line of a service", () => {
  test("starts it when it is empty", () => {
    assert.equal(readCommandLine([], help), undefined);
  });

  for (const args of [["--help"], ["-h"], ["--port", "--help"]]) {
    test(`shows what it is and its main settings with ${args.join(" ")}`, () => {
      const { code, text } = readCommandLine(args, help) ?? assert.fail();
      assert.equal(code, 0);
      assert.match(text, /^a-service: serves\.$/m);
      assert.match(text, /^ {2}DRYDOCK_LISTEN {2}Where it listens\. Default: 127\.0\.0\.1:1$/m);
      assert.match(text, /^ {2}DRYDOCK_URL {5}Whom it asks\.$/m);
      assert.match(text, /docs\/configuration\.md/);
    });
  }

  for (const args of [["--port=1"], ["start"], ["-v"], [""], ["\u001b[2J\u202e"]]) {
    test(`refuses ${JSON.stringify(args)} in one line`, () => {
      const { code, text } = readCommandLine(args, help) ?? assert.fail();
      assert.equal(code, 2);
      assert.match(text, /^a-service: the argument "[^\p{C}]*" is not known: [^\p{C}]+$/u);
    });
  }
});
