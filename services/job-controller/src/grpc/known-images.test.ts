import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { Coverage, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import type { CheckpointStore } from "../ports/checkpoint-store.ts";
import type { ReportQueries } from "../ports/report-queries.ts";
import type { FoundImage, KnownReport, ReportStore } from "../ports/report-store.ts";
import { AnswerMemory } from "./answer-memory.ts";
import { countSubJobReports, findImages, readReport, recordImages } from "./known-images.ts";

const mebibyte = 1024 * 1024;
const call = { signal: new AbortController().signal, onOver: () => {} } as unknown as CallContext;

/** What the call answers, once the call is over. */
async function answerOf<Res>(ask: (call: CallContext) => Promise<Res>): Promise<Res> {
  const ends: Array<() => void> = [];
  const answer = await ask({ ...call, onOver: (end: () => void) => void ends.push(end) } as CallContext);
  for (const end of ends) end();
  return answer;
}
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const asked = { lease: { jobId: "job", token: 1 }, incarnation: "process" };
const report: KnownReport = {
  ...{ reportId: "job", digest: digest("a"), platform: "linux/amd64", scanner: "Clair", scannerState: "Monday" },
  ...{ scannedAt: 5_000, coverage: "FULL" },
};
const image = { repository: "library/web", digest: digest("a"), tags: ["1.0"] };

/** The calls over a store that has these reports and images. */
function scene({ known = [report], images = [image] }: { known?: KnownReport[]; images?: FoundImage[] } = {}) {
  const budget = () => new ByteBudget({ name: "tests", bytes: 8 * mebibyte, maxWaiting: 0 });
  const memory = new AnswerMemory({ making: budget(), unreadLarge: budget(), unreadSmall: budget() });
  const seen = { leases: [] as unknown[], reads: [] as string[], sizes: [] as number[] };
  const reports: Pick<ReportStore, "checkLease" | "recordImages" | "indexPlatforms" | "newestOf" | "read"> = {
    checkLease: async (lease) => void seen.leases.push(lease),
    recordImages: async (found) => found.map(() => known),
    indexPlatforms: async (digests) => digests.map((own) => [`of ${own.at(-1)}`]),
    newestOf: async () => known,
    read: async (reportId) => {
      seen.reads.push(reportId);
      return (async function* () {
        yield gzipSync(Report.encode(Report.fromPartial({ reportId })).finish());
      })();
    },
  };
  const queries: Pick<ReportQueries, "findByLayers"> = {
    findByLayers: async (_names, { size, token }) => {
      seen.sizes.push(size);
      const from = Number(token);
      const nextToken = from + size < images.length ? String(from + size) : "";
      return { items: images.slice(from, from + size), nextToken };
    },
  };
  const checkpoints: Pick<CheckpointStore, "subJobKeys" | "haveLaunched"> = {
    haveLaunched: async (_jobId, keys) => keys.map((key) => key === digest("9")),
    subJobKeys: async (_lease, from) =>
      from === "" ? { keys: [digest("a"), "page 7"], next: "12" } : { keys: [digest("b")], next: "" },
  };
  const stores = { reports: reports as ReportStore, checkpoints: checkpoints as CheckpointStore };
  return { deps: { ...stores, queries: queries as ReportQueries, memory }, seen };
}

describe("what is known of images", () => {
  test("is nobody's business who does not hold the job", async () => {
    const { deps, seen } = scene();
    deps.reports.checkLease = () => Promise.reject(new ReasonedError("LEASE_LOST", "lost"));
    const lost = { reason: "LEASE_LOST" };
    await assert.rejects(recordImages(deps, { ...asked, images: [image] }, call), lost);
    await assert.rejects(findImages(deps, { ...asked, layerNames: ["a"], repository: "", pageToken: "" }, call), lost);
    await assert.rejects(Array.fromAsync(readReport(deps, { ...asked, digest: digest("a") }, call)), lost);
    assert.deepEqual([seen.reads, seen.sizes], [[], []]);
  });

  test("is answered in the order of the images", async () => {
    const { deps, seen } = scene();
    const { images } = await recordImages(deps, { ...asked, images: [image, image] }, call);
    assert.deepEqual(seen.leases, [{ ...asked.lease, incarnation: "process" }]);
    assert.deepEqual(
      images.map(({ reports }) => reports.length),
      [1, 1],
    );
    const [first] = images[0]?.reports ?? [];
    assert.deepEqual([first?.scannerState, first?.scannedAt?.getTime()], ["Monday", 5_000]);
  });

  test("is of an index also which platforms were looked for", async () => {
    const { deps } = scene();
    const { images } = await recordImages(deps, { ...asked, images: [image, { ...image, digest: digest("9") }] }, call);
    assert.deepEqual(
      images.map(({ indexPlatforms }) => indexPlatforms),
      [[], ["of 9"]],
    );
  });

  test("is also whether the job has launched another for the image", async () => {
    const { deps } = scene();
    const found = ["a", "9", "b"].map((digit) => ({ ...image, digest: digest(digit) }));
    const { images } = await recordImages(deps, { ...asked, images: found }, call);
    assert.deepEqual(
      images.map(({ isLaunched }) => isLaunched),
      [false, true, false],
    );
  });

  test("is counted by coverage for the digests that others were launched for, page by page", async () => {
    const { deps } = scene({ known: [report, { ...report, coverage: "PARTIAL" }] });
    const first = await countSubJobReports(deps, { ...asked, pageToken: "" }, call);
    assert.deepEqual(first, {
      byCoverage: [
        { coverage: Coverage.COVERAGE_FULL, reports: 1 },
        { coverage: Coverage.COVERAGE_PARTIAL, reports: 1 },
      ],
      ...{ withoutReport: 0, nextPageToken: "12" },
    });
    deps.reports.newestOf = async () => [];
    const last = await countSubJobReports(deps, { ...asked, pageToken: "12" }, call);
    assert.deepEqual(last, { byCoverage: [], withoutReport: 1, nextPageToken: "" });
    await assert.rejects(countSubJobReports(deps, { ...asked, pageToken: "1 0" }, call), { reason: "FIELD_INVALID" });
  });

  test("is refused when it is too much for an answer, rather than cut", async () => {
    const { deps } = scene({ known: Array(64).fill(report) });
    const images = Array(1_000).fill(image);
    await assert.rejects(recordImages(deps, { ...asked, images }, call), { reason: "MESSAGE_TOO_LARGE" });
    assert.equal((await recordImages(deps, { ...asked, images: images.slice(0, 100) }, call)).images.length, 100);
  });

  test("comes in pages that fit in an answer, whatever the tags, and leaves no image out", async () => {
    const tags = Array(4_000).fill("t".repeat(128));
    const { deps, seen } = scene({ images: Array.from({ length: 40 }, () => ({ ...image, tags })) });
    let [found, pageToken] = [0, ""];
    do {
      const page = await answerOf((own) =>
        findImages(deps, { ...asked, layerNames: ["a"], repository: "", pageToken }, own),
      );
      found += page.images.length;
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    assert.equal(found, 40);
    assert.ok(Math.min(...seen.sizes) < 20);
  });

  test("is all images with a report, of some repositories, when no layer is named", async () => {
    const { deps } = scene();
    const listed: unknown[] = [];
    deps.queries.list = async (filter, order, { token }) => {
      listed.push([filter, order, token]);
      return { items: [{ repository: "web", digest: digest("a") } as never], nextToken: "further" };
    };
    const found = await findImages(deps, { ...asked, layerNames: [], repository: "web*", pageToken: "t" }, call);
    assert.deepEqual(listed, [[{ repository: "web*" }, "REPOSITORY", "t"]]);
    assert.deepEqual(found, {
      images: [{ repository: "web", digest: digest("a"), tags: [] }],
      nextPageToken: "further",
    });
    const both = findImages(deps, { ...asked, layerNames: ["a"], repository: "web", pageToken: "" }, call);
    await assert.rejects(both, { reason: "FIELD_INVALID" });
  });

  test("has of an image with very many tags the first ones", async () => {
    const { deps } = scene({ images: [{ ...image, tags: Array(50_000).fill("t".repeat(128)) }] });
    const { images } = await findImages(deps, { ...asked, layerNames: ["a"], repository: "", pageToken: "" }, call);
    assert.equal(images[0]?.tags.length, 10_000);
  });

  test("has the report of the very image before those that an index leads to", async () => {
    const other = { ...report, reportId: "other", digest: digest("b") };
    const { deps, seen } = scene({ known: [other, report] });
    const [part] = await Array.fromAsync(readReport(deps, { ...asked, digest: digest("a") }, call));
    assert.deepEqual([part?.part?.reportId, seen.reads], ["job", ["job"]]);
    await Array.fromAsync(readReport(deps, { ...asked, digest: digest("f") }, call));
    assert.deepEqual(seen.reads, ["job", "other"]);
  });
});
