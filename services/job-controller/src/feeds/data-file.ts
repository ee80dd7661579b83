import { stat } from "node:fs/promises";
import type { Clock } from "@drydock/shared/clock.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import type { DataFileState } from "../ports/exploitation-data.ts";
import { type CveTable, emptyTable } from "./cve-table.ts";
import { FeedFault, type FeedForm } from "./feed.ts";
import { loadFeed } from "./load-feed.ts";

/** The longest version that is shown. */
const maxVersion = 100;

/** Which file, and by which setting. */
export interface DataFileOptions {
  setting: string;
  form: FeedForm;
  path: string;
  clock: Clock;
  logger: Logger;
}

/** A data file that is read again when it has changed. When it cannot be used, what was read before holds on. */
export class DataFile {
  readonly #options: DataFileOptions;
  #state: DataFileState;
  #table = emptyTable;
  /** The mark of the file as it was read last, whether that went well or not. */
  #seen = "";

  constructor(options: DataFileOptions) {
    this.#options = options;
    this.#state = { setting: options.setting, loadedAt: 0, entryCount: 0, version: "", fault: "was not read yet" };
  }

  get state(): DataFileState {
    return this.#state;
  }

  get table(): CveTable {
    return this.#table;
  }

  /** Reads the file if it has changed. Rejects with the signal's reason alone. */
  async look(signal: AbortSignal): Promise<void> {
    try {
      const seen = await this.#mark();
      if (seen === this.#seen) return;
      await this.#load(signal).finally(() => {
        this.#seen = seen;
      });
    } catch (error) {
      signal.throwIfAborted();
      // what could not even be found is read whenever it is there again
      if (!(error instanceof FeedFault)) this.#seen = "";
      this.#fail(error);
    }
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { setting, form, path, clock, logger } = this.#options;
    const { version, table } = await loadFeed({ form, path }, signal);
    this.#table = table;
    const [entryCount, shown] = [table.numbers.length, oneLine(version).slice(0, maxVersion)];
    this.#state = { setting, loadedAt: clock.now(), entryCount, version: shown, fault: "" };
    logger.info({ setting, path, entryCount, version: shown }, "a data file was read");
  }

  #fail(error: unknown): void {
    const { setting, path, logger } = this.#options;
    const { code = String(error) } = error as NodeJS.ErrnoException;
    const fault = error instanceof FeedFault ? error.message : `cannot be read (${code})`;
    if (fault === this.#state.fault) return;
    this.#state = { ...this.#state, fault };
    const held = this.#state.loadedAt === 0 ? "nothing of it is known" : "what was read before holds on";
    logger.error({ setting, path, fault }, `a data file cannot be used; ${held}`);
  }

  /** What is another when the file has changed. */
  async #mark(): Promise<string> {
    // the last one is another also when the file may be read from now on
    const { mtimeMs, size, ino, ctimeMs } = await stat(this.#options.path);
    return `${mtimeMs} ${size} ${ino} ${ctimeMs}`;
  }
}
