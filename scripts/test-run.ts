import { Readable } from "node:stream";
import { run } from "node:test";
import { spec } from "node:test/reporters";

/** Settings that make tests take longer, by their value in seconds. */
const longer = ["DRYDOCK_TEST_HOSTILE_SECONDS", "DRYDOCK_TEST_OUTAGE_SECONDS"];
/** How long one test file may take, in milliseconds. */
const fileTimeoutMs = 240_000 + longer.reduce((sum, name) => sum + 1_000 * Number(process.env[name] ?? 0), 0);

/** The outcome of one test file. */
export interface FileResult {
  file: string;
  passed: number;
  failed: number;
  skipped: number;
  durationMs: number;
  /** Why the file failed beyond its tests, e.g. "timed out". */
  fault: string | undefined;
  /** Every test by name, and each failure in full, as Node's spec reporter writes them. */
  details: string;
}

/** Events are reported apart by a type that the declarations of Node leave open, so they are read with care. */
interface TestEvent {
  type: string;
  data: {
    skip?: unknown;
    todo?: unknown;
    entryFile?: string;
    success?: boolean;
    message?: string;
    details?: EventDetails;
  };
}
interface EventDetails {
  type?: string;
  error?: { failureType?: string };
}

function count(events: TestEvent[]) {
  const isSuite = ({ data }: TestEvent) => data.details?.type === "suite";
  const isSkipped = ({ data }: TestEvent) => data.skip !== undefined || data.todo !== undefined;
  const passes = events.filter((event) => event.type === "test:pass" && !isSuite(event));
  const failures = events.filter(({ type, data }) => type === "test:fail" && !isSkipped({ type, data }));
  // A suite fails with its tests, which is no failure more, or by its hooks, which is one.
  const failed = failures.filter(
    (event) => !isSuite(event) || event.data.details?.error?.failureType !== "subtestsFailed",
  );
  const real = passes.filter(({ data }) => data.entryFile !== undefined);
  return {
    passed: real.filter((event) => !isSkipped(event)).length,
    failed: failed.length,
    skipped: real.filter(isSkipped).length,
  };
}

/** Whether an event only repeats the counts, which are shown elsewhere. */
function isCount({ type, data }: TestEvent): boolean {
  return type === "test:summary" || (type === "test:diagnostic" && /^[a-z_]+ [\d.]+$/.test(data.message ?? ""));
}

async function describe(events: TestEvent[]): Promise<string> {
  const reported = events.filter((event) => !isCount(event));
  const chunks: string[] = [];
  for await (const chunk of Readable.from(reported).compose(new spec())) chunks.push(String(chunk));
  return chunks.join("").trimEnd();
}

/** Runs one test file in a process of its own; never throws for what a test does. */
export async function runTestFile(root: string, file: string): Promise<FileResult> {
  const startedAt = performance.now();
  const signal = AbortSignal.timeout(fileTimeoutMs);
  const events: TestEvent[] = [];
  for await (const event of run({ cwd: root, files: [file], isolation: "process", signal })) {
    events.push(event as TestEvent);
  }
  const counts = count(events);
  const succeeded = events.some(({ type, data }) => type === "test:summary" && data.success === true);
  const faultOf = () => {
    if (signal.aborted) return `timed out after ${fileTimeoutMs / 1000} s`;
    if (counts.passed + counts.failed + counts.skipped === 0) return "has no test";
    return succeeded || counts.failed > 0 ? undefined : "failed outside its tests";
  };
  const fault = faultOf();
  const failed = fault === undefined ? counts.failed : Math.max(counts.failed, 1);
  const durationMs = performance.now() - startedAt;
  return { ...counts, file, failed, durationMs, fault, details: await describe(events) };
}
