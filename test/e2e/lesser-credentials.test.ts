import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Right } from "@drydock/demo/registry/access.ts";
import { sees } from "../support/failure-crew.ts";
import type { SeenJob } from "../support/job-api.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";
import type { Settings } from "../support/stack.ts";

const pull = (name: string): Right => ({ type: "repository", name, actions: ["pull"] });
/** May read library/clean, and no other repository. */
const lesser = { username: "lesser", password: "lesser-password", rights: [pull("library/clean")] };
const lesserSettings = { DRYDOCK_REGISTRY_USERNAME: lesser.username, DRYDOCK_REGISTRY_PASSWORD: lesser.password };
const noCredentials = { DRYDOCK_REGISTRY_USERNAME: "", DRYDOCK_REGISTRY_PASSWORD: "" };
const wrongPassword = { DRYDOCK_REGISTRY_PASSWORD: "wrong" };

const registries: [what: string, anonymous: Right[] | undefined][] = [
  ["gives nobody a token without credentials", undefined],
  ["gives anybody a token, for one repository", [pull("library/clean")]],
];
for (const [what, anonymous] of registries) {
  describe(`with a registry that ${what}`, () => {
    let scene: ScanStack;
    before(async () => {
      scene = await startScanStack(
        { users: [lesser], ...(anonymous && { anonymous }) },
        { DRYDOCK_REFUSAL_GRACE_SECONDS: "3" },
      );
    });
    after(() => scene.stop());

    const launch = (count: number, tag = "11") =>
      Promise.all(Array.from({ length: count }, () => scene.launch("library/debian", tag)));
    const ended = (id: string) =>
      scene.api.until(id, "has ended", ({ endTime }) => endTime !== undefined, { withinMs: 60_000 });
    const startAndStop = async (settings: Settings[], run: () => Promise<void>) => {
      const workers = await Promise.all(settings.map((own) => scene.startWorker(own)));
      try {
        await run();
      } finally {
        await Promise.all(workers.map((worker) => worker.stop()));
      }
    };

    for (const [whom, settings] of [
      ["without credentials", { DRYDOCK_SLOTS: "16", ...noCredentials }],
      ["with lesser credentials", { DRYDOCK_SLOTS: "16", ...lesserSettings }],
      ["with a wrong password", { DRYDOCK_SLOTS: "16", ...wrongPassword }],
    ] as [string, Settings][]) {
      test(`50 scans are all SUCCESS in their first attempt though a worker ${whom} stands beside a good one`, async () => {
        const asked = scene.registry.tokens.requests.length;
        await startAndStop([settings, {}], async () => {
          const jobs = await launch(50);
          for (const { id } of jobs) {
            const { status, attempt, lastError, workerId } = await ended(id);
            assert.deepEqual([status, attempt, lastError], ["SUCCESS", 1, undefined]);
            assert.ok(workerId);
          }
        });
        const tokens = scene.registry.tokens.requests.length - asked;
        assert.ok(tokens < 3 * 50, `${tokens} tokens asked for`);
      });
    }

    test("a scan that no worker may do is in ERROR with the cause after the grace, also of two workers", async () => {
      const crew = [noCredentials, lesserSettings];
      for (const settings of [[crew[0]], [crew[1]], crew] as Settings[][]) {
        await startAndStop(settings, async () => {
          const jobs = await launch(20);
          const begun = performance.now();
          for (const { id } of jobs) {
            const { status, attempt, lastError } = await ended(id);
            assert.deepEqual([status, attempt], ["ERROR", 1]);
            assert.match(lastError?.reason ?? "", /^(ACCESS_DENIED|REGISTRY_AUTH_REJECTED)$/);
          }
          assert.ok(performance.now() - begun < 20_000);
        });
      }
    });

    test("20 scans are all SUCCESS when the only worker that may do them restarts beside another one", async () => {
      const lesserOne = await scene.startWorker({ DRYDOCK_SLOTS: "16", ...noCredentials });
      const jobs = await launch(20);
      const isRefused = ({ checkIn }: SeenJob) => checkIn.includes("is refused");
      await scene.api.until(jobs[0]?.id ?? "", "is refused", isRefused);
      const good = await scene.startWorker();
      for (const { id } of jobs) assert.equal((await ended(id)).status, "SUCCESS");
      await Promise.all([good, lesserOne].map((worker) => worker.stop()));
    });

    test("a worker with lesser credentials scans what they let it, and its job's log and check-in say what they do not", async () => {
      const away = await scene.startWorker({ DRYDOCK_REGISTRY_URL: "http://127.0.0.1:1" });
      await sees(away, /"reason":"REGISTRY_UNREACHABLE".*taking no more jobs/);
      const worker = await scene.startWorker(lesserSettings);
      const waiting = await scene.launch("library/debian", "11");
      const job = await scene.scan("library/clean", "1.0");
      assert.equal(job.status, "SUCCESS", JSON.stringify(job.lastError));
      await sees(worker, /"reason":"ACCESS_DENIED".*this worker may not do the job/);
      const cause =
        /^waits since .*Z: another worker is needed, as \S+ is refused \(ERROR when .*\): the registry does not let /;
      // how the workers stand to the type is read once a second
      const saysWhy = ({ checkIn }: SeenJob) => cause.test(checkIn);
      const { status, attempt } = await scene.api.until(waiting.id, "says what it waits for", saysWhy);
      assert.deepEqual([status, attempt], ["PENDING", 0], "it waits for the one whose registry is away");
      assert.match(await scene.api.log(waiting.id), /refused to this worker: ACCESS_DENIED: /);
      assert.ok(!scene.logs().includes(lesser.password));
      await Promise.all([worker, away].map((process) => process.stop()));
    });
  });
}
