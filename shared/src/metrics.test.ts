import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createMetrics } from "./metrics.ts";

describe("metrics", () => {
  test("are told as Prometheus' text, with labels", async () => {
    const metrics = createMetrics();
    metrics.counter({ name: "jobs_launched_total", help: "Jobs.", labels: ["name"] }).inc({ name: "SCAN" }, 2);
    metrics.histogram({ name: "job_run_seconds", help: "Time.", buckets: [1, 2] }).observe(1.5);
    const text = await metrics.text();
    assert.match(text, /^jobs_launched_total\{name="SCAN"\} 2$/m);
    assert.match(text, /^job_run_seconds_bucket\{le="2"\} 1$/m);
    assert.match(metrics.contentType, /^text\/plain/);
  });

  test("a gauge may be set when somebody reads it", async () => {
    const metrics = createMetrics();
    let depth = 0;
    metrics.gauge({ name: "job_queue_jobs", help: "Depth.", collect: (gauge) => gauge.set(depth) });
    depth = 5;
    assert.match(await metrics.text(), /^job_queue_jobs 5$/m);
  });

  test("of two sets don't meet; Node's own come on demand", async () => {
    const [own, other] = [createMetrics(), createMetrics({ defaults: true })];
    own.counter({ name: "a_total", help: "A." });
    other.counter({ name: "a_total", help: "A." });
    assert.doesNotMatch(await own.text(), /process_/);
    assert.match(await other.text(), /^process_resident_memory_bytes /m);
  });
});
