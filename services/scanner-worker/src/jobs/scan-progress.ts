import type { Clock } from "@drydock/shared/clock.ts";
import { plainText } from "../domain/plain-text.ts";
import { formatPlatform } from "../domain/platform.ts";
import type { JobContext } from "../ports/job.ts";
import type { ResolvedImage } from "./resolve-image.ts";

const indexFromPercent = 10;
const indexToPercent = 85;

/** Tells users how far a scan is, by check-ins, and how long each step took, in the job's log. */
export class ScanProgress {
  readonly #context: JobContext;
  readonly #clock: Clock;
  #phase = "";
  #begunAt = 0;
  #layersDone = -1;

  constructor(context: JobContext, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
  }

  /** A step begins. */
  begin(phase: string, percent: number, text: string): void {
    this.#phase = phase;
    this.#begunAt = this.#clock.now();
    this.#context.checkin(text, { phase, percent });
  }

  /** The step is over. */
  end(text: string): void {
    this.#context.logger.info(`${this.#phase}: ${plainText(text, 500)} (${this.#clock.now() - this.#begunAt} ms)`);
  }

  /** The manifest is known. */
  resolved(name: string, { manifest, platform, indexDigest }: ResolvedImage): void {
    const layers =
      manifest.kind === "image"
        ? `, ${manifest.layers.length} ${manifest.layers.length === 1 ? "layer" : "layers"}`
        : `, ${manifest.why}`;
    const from = indexDigest === "" ? "" : `, of the index ${indexDigest}`;
    const what = platform === undefined ? "" : `, ${formatPlatform(platform)}`;
    this.end(`${name} is ${manifest.digest}${from}${what}${layers}`);
  }

  /** The scanner has read `done` layers. It may start again without one of them; the percentage never goes back. */
  layer(done: number, total: number): void {
    if (done <= this.#layersDone) return;
    this.#layersDone = done;
    const percent = indexFromPercent + Math.round(((indexToPercent - indexFromPercent) * done) / Math.max(total, 1));
    if (done >= total) {
      this.#context.checkin("matching packages and vulnerabilities", { phase: "match", percent });
    } else {
      this.#context.checkin(`layer ${done + 1} of ${total}`, { phase: "index", percent });
      this.#context.logger.debug(`index: ${done} of ${total} layers done`);
    }
  }

  /** The scan is over. */
  done(text: string): void {
    this.#context.checkin(plainText(text, 500), { phase: "done", percent: 100 });
    this.#context.logger.info(plainText(text, 500));
  }
}
