import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";

describe("a notification of Clair over HTTP", () => {
  let stack: Stack;
  let controller: Controller;
  let url: string;
  before(async () => {
    stack = await startStack();
    controller = await stack.startController();
    url = `http://${controller.process.ready.http}/notify/clair`;
  });
  after(() => stack.stop());

  const post = (body: string, method = "POST") => fetch(url, { method, ...(method === "POST" && { body }) });
  const named = (name: string) => JSON.stringify({ Notification: { Name: name } });

  test("is not taken while no worker can read it, so that Clair sends it again", async () => {
    const answer = await post(named("ec45ec87"));
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /CLAIR_NOTIFICATION/);
  });

  test("is a job that reads it, and a single one however often it comes", async () => {
    const worker = await ScriptedWorker.join(controller.address, {
      jobTypes: [plainType("CLAIR_NOTIFICATION")],
      slots: 2,
    });
    const answers = [await post(named("ec45ec87")), await post(named("ec45ec87"))];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    );
    const [first, again] = await Promise.all(answers.map((answer) => answer.json()));
    assert.deepEqual(first, again);
    const { parametersJson, lease } = await worker.takeJob();
    assert.equal(lease?.jobId, (first as { job_id: string }).job_id);
    assert.deepEqual(JSON.parse(parametersJson), { name: "ec45ec87" });
    assert.equal((await fetch(`${url}?delay_seconds=60`, { method: "POST", body: named("ec45ec88") })).status, 200);
    assert.deepEqual(JSON.parse((await worker.takeJob()).parametersJson), { name: "ec45ec88", delay_seconds: 60 });
    await worker.leave();
  });

  test("that is none is refused with what it should be", async () => {
    for (const body of ["", "{", "[]", "{}", '{"Notification":{}}', named("../x"), named(""), named("a".repeat(129))]) {
      const answer = await post(body);
      assert.equal(answer.status, 400, body);
      assert.match(await answer.text(), /the body must be \{"Notification"/);
    }
    const wrong = await fetch(`${url}?delay_seconds=soon`, { method: "POST", body: named("a") });
    assert.deepEqual(
      [wrong.status, await wrong.text()],
      [400, "delay_seconds must be a whole number from 0 to 86400\n"],
    );
    assert.equal((await post("x".repeat(16 * 1024 + 1))).status, 413);
    assert.equal((await post("", "GET")).status, 405);
    assert.equal((await fetch(new URL("/other", url))).status, 404);
  });
});
