import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { buildIndex, type SampleImage } from "@drydock/demo/images/sample-image.ts";
import { sampleImages } from "@drydock/demo/images/sample-images.ts";
import { pushImage } from "@drydock/demo/registry/push-image.ts";
import { type CountingProxy, createCountingProxy } from "@drydock/demo/stack/counting-proxy.ts";
import { platformRule, repositoryRule, tagRule } from "@drydock/scanner-worker/jobs/worded-pattern.ts";
import {
  FindVulnerabilityRequest,
  GetReportRequest,
  ReportServiceService,
} from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import type { SeenJob } from "../support/job-api.ts";
import { refusalOf } from "../support/refusal.ts";
import { type ScanStack, startScanStack } from "../support/scan-stack.ts";
import { until } from "../support/until.ts";

/** More tags of images that are there, in their own repository and in another. */
const copies = [
  { of: "library/web:1.0", repository: "library/web", tag: "latest" },
  { of: "library/web:1.0", repository: "team/web", tag: "stable" },
  { of: "library/debian:12", repository: "team/base", tag: "1" },
  { of: "library/alpine:3.15", repository: "library/alpine", tag: "latest" },
];

const isEnded = ({ endTime }: SeenJob) => endTime !== undefined;
const manifest = /^GET .*\/manifests\//;
const head = /^HEAD .*\/manifests\//;
const post = /^POST \/v1\/layers$/;
const read = /^GET \/v1\/layers\//;

/** The layers' digests, above the configuration. */
function layersOf({ blobs }: Pick<SampleImage, "blobs">): string[] {
  return blobs.slice(1).map(({ digest }) => digest);
}

describe("a scan of all images of a registry", { timeout: 200_000 }, () => {
  let scene: ScanStack;
  let registry: CountingProxy;
  let scanner: CountingProxy;
  let onRequest: (request: string) => Promise<void> = async () => undefined;
  const tokens: string[] = [];
  const images = sampleImages();
  const tagCount = images.length + copies.length;
  const digests = new Set(images.map(({ digest }) => digest));
  const repositories = new Set([...images, ...copies].map(({ repository }) => repository));
  const pullScopes = [...repositories].map((repository) => `repository:${repository}:pull`);

  before(async () => {
    scene = await startScanStack();
    registry = createCountingProxy(scene.registry.url, (request) => onRequest(request));
    scanner = createCountingProxy(scene.scanner.url);
    await Promise.all([registry.start(), scanner.start()]);
    for (const { of, repository, tag } of copies) {
      const image = images.find((own) => `${own.repository}:${own.tag}` === of) ?? assert.fail(of);
      await pushImage({ url: scene.registry.url, ...scene.registry.writer }, { ...image, repository, tag });
    }
    scene.hooks.onToken = async ({ scopes }) => void tokens.push(scopes.join(" "));
    const urls = { DRYDOCK_REGISTRY_URL: registry.url, DRYDOCK_CLAIR_URL: scanner.url };
    await scene.startWorker({ ...urls, DRYDOCK_REGISTRY_SCANNER_URL: scene.registry.url });
  });
  after(async () => {
    await scene.stop();
    await Promise.all([registry.stop(), scanner.stop()]);
  });

  /** Scans all, waits for the end and gives the job and what was asked meanwhile. */
  async function scanAll(parameters: object = {}) {
    const before = { heads: registry.count(head), manifests: registry.count(manifest) };
    const [posts, reads, got] = [scanner.count(post), scanner.count(read), tokens.length];
    const { id } = await scene.api.launch("IMAGE_SCAN_ALL", { ...parameters });
    const job = await scene.api.until(id, "has ended", isEnded, { withinMs: 60_000 });
    return {
      job,
      heads: registry.count(head) - before.heads,
      manifests: registry.count(manifest) - before.manifests,
      posts: scanner.count(post) - posts,
      reads: scanner.count(read) - reads,
      tokens: tokens.slice(got),
    };
  }

  test("is of a worker that asks the scanner once whether it is there, for all its job types", () => {
    assert.equal(scanner.count(/^GET \/v1\/namespaces$/), 1);
  });

  test("is refused in words, as a scan of one image is", async () => {
    const rulesOf = async (name: string, parameters: Record<string, unknown>) => {
      const { violations } = await refusalOf(scene.api.launch(name, parameters));
      return violations.map(({ field, description }) => `${field} ${description.replace(/ \(.*/, "")}`);
    };
    const image = { repository: "library/web", tag: "1.0" };
    assert.deepEqual(await rulesOf("IMAGE_SCAN", { ...image, platform: "linux/arm64", platforms: ["all"] }), [
      "job.parameters takes platform or platforms, not both",
    ]);
    assert.deepEqual(await rulesOf("IMAGE_SCAN", { ...image, tag: "a b", platform: "arm64" }), [
      `job.parameters.tag ${tagRule}`,
      `job.parameters.platform ${platformRule}`,
    ]);
    assert.deepEqual(await rulesOf("IMAGE_SCAN_ALL", { repositories: ["Web"] }), [
      `job.parameters.repositories[0] ${repositoryRule}`,
    ]);
    const [platforms = ""] = await rulesOf("IMAGE_SCAN_ALL", { platforms: ["arm64"] });
    assert.match(platforms, /^job.parameters.platforms fits none of .* \[0\] must be a platform such as/);
  });

  test("scans each distinct image once, with the least requests", async () => {
    const { job, ...asked } = await scanAll();
    assert.equal(job.status, "SUCCESS", job.lastError?.message);
    const counts = `${repositories.size} repositories, ${tagCount} tags, ${digests.size} digests (0 known)`;
    const ends = `${digests.size} launched, 0 up to date, ${digests.size} done, 0 failed`;
    const coverage = "coverage of 15 reports: 11 FULL, 3 UNSUPPORTED, 1 NOT_AN_IMAGE";
    assert.equal(job.checkIn, `${counts}: ${ends}, ${coverage}`);
    const children = await scene.api.list(job.id);
    assert.equal(children.length, digests.size);
    assert.ok(
      children.every(({ name, status, priority }) => name === "IMAGE_SCAN" && status === "SUCCESS" && priority === 2),
    );
    // an index is a manifest more, and one that names no platforms has to be looked into
    const looked = digests.size + images.flatMap(({ listed }) => listed).length - 1;
    const layers = new Set(images.flatMap(({ listed, ...image }) => [image, ...listed]).flatMap(layersOf));
    assert.equal(asked.heads, tagCount);
    assert.ok(asked.manifests <= looked, `${asked.manifests} manifests`);
    assert.ok(asked.posts <= layers.size, `${asked.posts} posts of ${layers.size} layers`);
    assert.deepEqual(asked.tokens.toSorted(), ["registry:catalog:*", ...pullScopes].toSorted());
  });

  test("again with nothing new pulls no manifest and posts no layer, and reads each result once", async () => {
    const { job, ...asked } = await scanAll();
    assert.equal(job.status, "SUCCESS", job.lastError?.message);
    assert.match(job.checkIn, new RegExp(`${digests.size} digests \\(${digests.size} known\\)`));
    assert.deepEqual([asked.manifests, asked.posts], [0, 0]);
    assert.ok(asked.reads <= digests.size, `${asked.reads} results`);
    const children = await scene.api.list(job.id);
    assert.ok(children.every(({ name }) => name === "IMAGE_REMATCH"));
  });

  test("finds the report of an image under every repository and tag, also under those that came later", async () => {
    for (const { of, repository, tag } of [
      ...copies,
      { of: "library/web:1.0", repository: "library/web", tag: "1.0" },
    ]) {
      const request = GetReportRequest.fromPartial({ repository, tag });
      const { report } = await unaryCall(scene.api.client, ReportServiceService.getReport, request, {
        deadlineMs: 10_000,
      });
      const image = images.find((own) => `${own.repository}:${own.tag}` === of);
      assert.equal(report?.artifact?.digest, image?.digest, `${repository}:${tag}`);
    }
  });

  test("makes a report of each platform when all are asked for", async () => {
    const { job } = await scanAll({ platforms: ["all"], repositories: ["library/multi"] });
    const [child = assert.fail()] = await scene.api.list(job.id);
    assert.match(child.checkIn, /^2 platforms: linux\/arm64: .*; linux\/amd64: /);
  });

  describe("is followed by a rematch", () => {
    const web = images.find(({ repository }) => repository === "library/web") ?? assert.fail();
    const layersOfWeb = async () => (await scene.api.report({ $case: "digest", value: web.digest })).layers;

    /** Launches the job and waits for its end. */
    const run = async (name: string, parameters: object) => {
      const { id } = await scene.api.launch(name, { ...parameters });
      const job = await scene.api.until(id, "has ended", isEnded, { withinMs: 60_000 });
      assert.equal(job.status, "SUCCESS", job.lastError?.message);
      return job;
    };

    test("of all, which asks nothing of the registry but whether it is there", async () => {
      const from = registry.requests.length;
      const job = await run("IMAGE_REMATCH_ALL", {});
      assert.match(job.checkIn, /^\d\d images: \d\d launched, \d\d done, 0 failed$/);
      assert.ok(registry.requests.slice(from).every((request) => request === "GET /v2/"));
      const some = await run("IMAGE_REMATCH_ALL", { repository: "library/debian" });
      assert.match(some.checkIn, /^6 images: /);
    });

    test("of exactly the images that a notification of Clair's names, whose reports then have what is new", async () => {
      const name = "CVE-2099-0001";
      const affected = async () => {
        const request = FindVulnerabilityRequest.fromPartial({ name });
        const call = { deadlineMs: 10_000 };
        const { matches } = await unaryCall(scene.api.client, ReportServiceService.findVulnerability, request, call);
        return [...new Set(matches.map(({ digest }) => digest))];
      };
      assert.deepEqual(await affected(), []);
      scene.hooks.notify = `http://${scene.controller.process.ready.http}/notify/clair?delay_seconds=1`;
      const fixed = { Name: "nginx", Version: "99.0" };
      const vulnerability = { Name: name, NamespaceName: "debian:12", Severity: "High", FixedIn: [fixed] };
      const posted = await fetch(`${scene.scanner.url}/v1/namespaces/debian:12/vulnerabilities`, {
        method: "POST",
        body: JSON.stringify({ Vulnerability: vulnerability }),
      });
      assert.equal(posted.status, 201);
      const notified = async () => (await scene.api.list()).find((own) => own.name === "CLAIR_NOTIFICATION");
      const launched = await until("the notification is a job", notified, (own) => own !== undefined);
      const job = await scene.api.until(launched?.id ?? "", "has ended", isEnded, { withinMs: 30_000 });
      assert.match(job.checkIn, new RegExp(`^${name} changed: 1 image is matched anew`));
      const children = await scene.api.list(job.id);
      for (const child of children) await scene.api.untilStatus(child.id, "SUCCESS", { withinMs: 30_000 });
      assert.deepEqual(await affected(), [web.digest]);
      assert.equal(scanner.count(/^DELETE \/v1\/notifications\//), 1);
    });

    test("of an image whose layers the scanner has lost, which has it scanned", async () => {
      const [base] = await layersOfWeb();
      const gone = await fetch(`${scene.scanner.url}/v1/layers/${base?.clairName}`, { method: "DELETE" });
      assert.equal(gone.status, 200);
      const job = await run("IMAGE_REMATCH", { digest: web.digest });
      const [scan = assert.fail()] = await scene.api.list(job.id);
      assert.equal(scan.name, "IMAGE_SCAN");
      assert.match(job.checkIn, new RegExp(`job ${scan.id} scans it instead`));
      await scene.api.untilStatus(scan.id, "SUCCESS", { withinMs: 30_000 });
      assert.equal((await scene.api.report({ $case: "digest", value: web.digest })).reportId, scan.id);
    });
  });

  test("is one at a time, and a stop ends what it launched", async () => {
    const { id } = await scene.api.launch("IMAGE_SCAN_ALL", { force: true });
    const { reason } = await refusalOf(scene.api.launch("IMAGE_SCAN_ALL", { include: ["team/*"] }));
    assert.equal(reason, "JOB_ALREADY_EXISTS");
    await scene.api.stop(id);
    await scene.api.untilStatus(id, "STOPPED");
    for (const child of await scene.api.list(id)) await scene.api.until(child.id, "has ended", isEnded);
  });

  test("that was cancelled with its scans does the rest when RetryJob brings it back", async () => {
    const cancelled = Promise.withResolvers<void>();
    onRequest = async (request) => void (manifest.test(request) && (await cancelled.promise));
    const { id } = await scene.api.launch("IMAGE_SCAN_ALL", { force: true });
    await until(
      "its scans are launched",
      () => scene.api.list(id),
      (own) => own.length === digests.size,
    );
    await scene.api.cancel(id);
    await scene.api.untilStatus(id, "CANCELLED");
    const ends = (await scene.api.list(id)).map(({ id: child }) => scene.api.until(child, "has ended", isEnded));
    assert.ok((await Promise.all(ends)).every(({ status }) => status === "CANCELLED"));
    cancelled.resolve();
    onRequest = async () => undefined;
    await scene.api.retry(id);
    const job = await scene.api.until(id, "has ended", isEnded, { withinMs: 60_000 });
    assert.equal(job.status, "SUCCESS", job.lastError?.message);
    const done = (await scene.api.list(id)).filter(({ status }) => status === "SUCCESS");
    const digestsDone = await Promise.all(done.map(async (own) => (await scene.api.get(own.id)).parameters?.digest));
    assert.deepEqual(new Set(digestsDone), digests);
  });

  test("for several platforms pulls nothing again, also of an index that has one image or lacks one that is asked for", async () => {
    const [listed = assert.fail()] = images.find(({ repository }) => repository === "library/multi")?.listed ?? [];
    const single = { repository: "library/single", tag: "1.0", description: "an index of one image" };
    const index = buildIndex(single, [listed], { platforms: ["linux/arm64"] });
    await pushImage({ url: scene.registry.url, ...scene.registry.writer }, index);
    const repositories = ["library/multi", "library/single"];
    for (const platforms of [["linux/arm64", "linux/s390x"], ["all"]]) {
      const first = await scanAll({ platforms, repositories });
      assert.equal(first.job.status, "SUCCESS", first.job.lastError?.message);
      const { job, manifests, posts } = await scanAll({ platforms, repositories });
      assert.equal(job.status, "SUCCESS", job.lastError?.message);
      assert.deepEqual([first.manifests > 0, manifests, posts], [true, 0, 0], `${platforms}: ${first.job.checkIn}`);
    }
  });
});
