import type { CveTable } from "./cve-table.ts";

/** What a data file says. */
export interface Feed {
  /** What it calls itself; empty if it does not. */
  version: string;
  table: CveTable;
}

/** Which form a data file has. */
export type FeedForm = "kev" | "epss";

/** The file cannot be used; the message says why, without its path. */
export class FeedFault extends Error {
  override readonly name = "FeedFault";
}

/** How many CVEs a data file may have. There are some 300,000. */
export const maxEntries = 2_000_000;
