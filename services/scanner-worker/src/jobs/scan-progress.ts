import type { Clock } from "@drydock/shared/clock.ts";
import { plainText } from "../domain/plain-text.ts";
import { formatPlatform } from "../domain/platform.ts";
import type { JobContext } from "../ports/job.ts";
import type { ResolvedImage } from "./resolve-image.ts";

const indexFromPercent = 10;
const indexToPercent = 85;
/** Up to here all images of a scan are looked up, from here on each is scanned in turn. */
const imagesFromPercent = 8;

/** Tells users how far a scan is, by check-ins, and how long each step took, in the job's log. */
export class ScanProgress {
  readonly #context: JobContext;
  readonly #clock: Clock;
  #phase = "";
  #begunAt = 0;
  #layersDone = -1;
  /** Which of how many images is scanned. */
  #place = 0;
  #total = 1;

  constructor(context: JobContext, clock: Clock) {
    this.#context = context;
    this.#clock = clock;
  }

  /** A step begins. */
  begin(phase: string, percent: number, text: string): void {
    this.#phase = phase;
    this.#begunAt = this.#clock.now();
    this.#checkIn(text, phase, percent);
  }

  /** One of several images is scanned from now on, counted from 0. */
  image(place: number, total: number): void {
    this.#place = place;
    this.#total = total;
    this.#layersDone = -1;
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
      this.#checkIn("matching packages and vulnerabilities", "match", percent);
    } else {
      this.#checkIn(`layer ${done + 1} of ${total}`, "index", percent);
      this.#context.logger.debug(`index: ${done} of ${total} layers done`);
    }
  }

  /** The scan is over. */
  done(text: string): void {
    this.#context.checkin(plainText(text, 500), { phase: "done", percent: 100 });
    this.#context.logger.info(plainText(text, 500));
  }

  #checkIn(text: string, phase: string, percent: number): void {
    const share = (this.#place + Math.max(percent - imagesFromPercent, 0) / (100 - imagesFromPercent)) / this.#total;
    const overall = percent < imagesFromPercent ? percent : imagesFromPercent + (100 - imagesFromPercent) * share;
    const which = this.#total === 1 ? "" : `image ${this.#place + 1} of ${this.#total}: `;
    this.#context.checkin(which + text, { phase, percent: Math.floor(overall) });
  }
}
