import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import { newlyLaunched } from "../domain/new-job.ts";
import { AnswerMemory } from "./answer-memory.ts";
import { JobAnswers } from "./job-answers.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const text = { text: "x".repeat(200 * kibibyte) };
/** Five times as large in a message as in JSON. */
const numbers = { numbers: Array.from({ length: 100 * kibibyte }, (_, at) => at % 10) };

/** A call that nobody reads the answer of, which goes on. */
const call = { signal: new AbortController().signal, onOver: () => {} } as unknown as CallContext;

function scene(parameters: object, bytes = mebibyte) {
  const budget = () => new ByteBudget({ name: "tests", bytes, maxWaiting: 0 });
  const budgets = { making: budget(), unreadLarge: budget(), unreadSmall: budget() };
  const job = newlyLaunched("1", 0, "", {
    name: "DEMO",
    parametersJson: JSON.stringify(parameters),
    traceparent: "",
  });
  let reads = 0;
  const get = async () => {
    reads++;
    return job;
  };
  const answers = new JobAnswers(new AnswerMemory(budgets), {
    pool: { get },
    capacities: { show: async (job) => job },
  });
  return { answers, budgets, job, reads: () => reads };
}

const busy = { reason: "SERVER_BUSY" };

describe("the answers that are one job", () => {
  test("of a small job are never refused, and not counted", async () => {
    const { answers, budgets, reads } = scene({ image: "alpine" });
    for (let at = 0; at < 100; at++) await answers.read("1", call);
    assert.deepEqual([budgets.unreadSmall.held, reads()], [0, 100]);
  });

  test("of a large job are refused when their clients read none, and then the job is not read for it", async () => {
    const { answers, reads } = scene(text);
    for (let at = 0; at < 5; at++) {
      const { stats } = await answers.read("1", call);
      assert.deepEqual(stats.parameters, text);
    }
    for (let at = 0; at < 20; at++) await assert.rejects(answers.read("1", call), busy);
    assert.equal(reads(), 5);
  });

  test("have no parameters instead when the call has changed the job", async () => {
    const { answers, job } = scene(text, 300 * kibibyte);
    assert.deepEqual((await answers.changed(job, call)).stats.parameters, text);
    const { stats } = await answers.changed(job, call);
    assert.deepEqual([stats.id, stats.parameters], ["1", undefined]);
    await assert.rejects(answers.read("1", call), busy, "it is known to be large");
  });

  test("count numbers by their size in a message", async () => {
    const { answers, budgets } = scene(numbers, 4 * mebibyte);
    await answers.read("1", call);
    const { held } = budgets.unreadLarge;
    assert.ok(held > mebibyte && held < 1.5 * mebibyte, `${held} bytes`);
  });
});
