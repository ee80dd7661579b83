import { toError } from "@drydock/shared/errors.ts";
import { createDrydockClient, type DrydockClient } from "./drydock-client.ts";
import type { SampleImage } from "./images/sample-image.ts";
import { moreTags, sampleImages } from "./images/sample-images.ts";
import { renderNextSteps } from "./next-steps.ts";
import { pushImages } from "./registry/push-image.ts";
import { createLiveView, createPlainView, type ProgressView } from "./scans/progress.ts";
import { renderReport } from "./scans/report-lines.ts";
import { renderSavings, scanAll } from "./scans/scan-all.ts";
import { type EndedScan, scanImages } from "./scans/scan-images.ts";
import { ProcessError } from "./stack/processes.ts";
import { type Stack, startStack } from "./stack/stack.ts";
import { createPaint, type Paint } from "./terminal/paint.ts";

/** How to run the demo. */
export interface DemoOptions {
  /** Leave everything up until `signal` aborts. */
  keep: boolean;
  /** Where to write; a terminal gets colours and a live view. */
  output: NodeJS.WriteStream;
  /** Ends the demo. */
  signal: AbortSignal;
}

/** How long pushing and scanning may take together, each time, in milliseconds. */
const timeLimitMs = 60_000;

/**
 * Starts a whole Drydock, scans the sample images through its API and shows what was found. Nothing is left running.
 * @throws ProcessError with the log of the part that failed; the signal's reason when it aborts before the end
 */
export async function runDemo({ keep, output, signal }: DemoOptions): Promise<void> {
  const paint = createPaint(output);
  const say = (...lines: string[]) => void output.write(`${lines.join("\n")}\n`);
  const startedAt = performance.now();

  say(paint("bold", "Starting Drydock"));
  const stack = await startStack({ signal });
  try {
    say(...renderParts(stack));
    const untilFailure = AbortSignal.any([signal, stack.failed]);
    const scene = { stack, output, paint, say, signal: untilFailure };
    const scans = await inTime(scene, pushAndScan);
    for (const scan of scans) say("", ...renderScan(scan, paint));
    await inTime(scene, scanWholeRegistry);
    const took = ((performance.now() - startedAt) / 1000).toFixed(1);
    say("", paint("bold", `${scans.length} images in ${took} s.`));
    if (!keep) say("Nothing stays up. To try it yourself: npm run demo -- --keep");
    if (keep) {
      say("Try next:", ...renderNextSteps(stack, scans[0]?.jobId ?? ""));
      say("", "Everything stays up until Ctrl-C, but for what you end yourself.");
      stack.onEnd(({ message }) => say(`${message}; the rest stays up.`));
      await aborted(signal);
    }
  } finally {
    await stack.stop();
  }
}

function renderParts({ redis, counted, scanner, controller, workers }: Stack): string[] {
  return [
    `  Redis               ${redis.url}`,
    // the address that the workers and so the reports have
    `  registry            ${counted.registry.url}`,
    `  evaluation scanner  ${scanner.url} (for evaluation and tests: it knows few vulnerabilities)`,
    `  job-controller      ${controller.grpc}`,
    ...workers.map(({ process, ops }) => `  ${process.name}    ${ops}`),
  ];
}

interface Scene {
  stack: Stack;
  output: NodeJS.WriteStream;
  paint: Paint;
  say: (...lines: string[]) => void;
  signal: AbortSignal;
}

/** Does a part of the demo with a client and a time limit. A failure shows what the services logged. */
async function inTime<T>(
  scene: Scene,
  act: (scene: Scene, client: DrydockClient, deadline: AbortSignal) => Promise<T>,
): Promise<T> {
  const { stack, signal } = scene;
  const client = createDrydockClient(stack.controller.grpc);
  try {
    return await act(scene, client, AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)]));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const log = [stack.controller, ...stack.workers].map(({ process }) => process.log()).join("\n");
    throw new ProcessError(toError(error).message, log, { cause: error });
  } finally {
    client.close();
  }
}

async function pushAndScan(scene: Scene, client: DrydockClient, deadline: AbortSignal): Promise<EndedScan[]> {
  const { output, paint, say } = scene;
  const images = sampleImages();
  say("", paint("bold", `Pushing ${images.length} sample images`));
  await push(scene, images, deadline);
  say("", paint("bold", "Scanning them"));
  const scans = await scanImages(client, images, createView(output, paint), deadline);
  for (const { state } of scans) {
    if (state.stage === "failed") throw new Error(`the scan of ${state.image} failed: ${state.text}`);
  }
  return scans;
}

async function scanWholeRegistry(scene: Scene, client: DrydockClient, deadline: AbortSignal): Promise<void> {
  const { stack, paint, say } = scene;
  const more = moreTags();
  say("", paint("bold", `Pushing ${more.length} more tags, of images that are there and of one that shares layers`));
  await push(scene, more, deadline);
  say("", paint("bold", "Scanning the whole registry"));
  const { text, asked } = await scanAll(client, stack.counted, deadline);
  say(`  ${text}`, "", ...renderSavings([...sampleImages(), ...more], asked, paint).map((line) => `  ${line}`));
}

async function push({ stack }: Scene, images: readonly SampleImage[], signal: AbortSignal): Promise<void> {
  const target = { url: stack.registry.url, ...stack.registry.writer };
  await pushImages(target, images, signal);
}

function createView(output: NodeJS.WriteStream, paint: Paint): ProgressView {
  const isLive = output.isTTY && process.env.TERM !== "dumb";
  return isLive ? createLiveView(output, paint) : createPlainView((line) => void output.write(`${line}\n`));
}

function renderScan({ image, state, report }: EndedScan, paint: Paint): string[] {
  const platform = report?.artifact?.indexDigest ? report.artifact.platform : undefined;
  const choice = platform === undefined ? "" : `; scanned is ${platform.os}/${platform.architecture}`;
  const title = `${paint("bold", state.image)}  ${paint("dim", image.description + choice)}`;
  return [title, ...(report === undefined ? [] : renderReport(report, paint)).map((line) => `  ${line}`)];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
