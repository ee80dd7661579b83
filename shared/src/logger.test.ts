import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLogger, type LoggerOptions } from "./logger.ts";

function logged(
  options: Omit<LoggerOptions, "name" | "destination">,
  write: (logger: ReturnType<typeof createLogger>) => void,
) {
  const lines: string[] = [];
  write(createLogger({ ...options, name: "drydock", destination: { write: (line) => lines.push(line) } }));
  return lines;
}

describe("a logger", () => {
  test("writes a JSON object per line, with the level's word and an ISO time", () => {
    const [line = ""] = logged({ format: "json" }, (logger) => logger.info({ jobId: "1" }, "claimed"));
    const { time, ...rest } = JSON.parse(line);
    assert.deepEqual(rest, { level: "info", name: "drydock", jobId: "1", msg: "claimed" });
    assert.match(time, /^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test("writes nothing below its level", () => {
    assert.deepEqual(
      logged({ format: "json", level: "warn" }, (logger) => logger.info("quiet")),
      [],
    );
  });

  test("hides secrets wherever they usually stand, and shows a lease's token", () => {
    const facts = {
      token: 7,
      password: "hunter2",
      headers: { authorization: "Bearer hunter2" },
      options: { registry: { secret: "hunter2" } },
    };
    const [line = ""] = logged({ format: "json" }, (logger) => logger.info(facts, "hello"));
    assert.doesNotMatch(line, /hunter2/);
    assert.equal(JSON.parse(line).token, 7);
  });

  test("writes a readable line without colours when that is no terminal", () => {
    const [line = ""] = logged({ format: "pretty" }, (logger) => logger.warn({ jobId: "1" }, "slow"));
    assert.match(line, /^\[\d\d:\d\d:\d\d\.\d{3}\] WARN \(drydock\): slow \{"jobId":"1"\}\n$/);
  });
});
