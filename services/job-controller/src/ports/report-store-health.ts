/** Whether reports can be stored and read, where they are not in Redis. */
export interface ReportStoreHealth {
  /** Whether the store answered lately and accepts writes. */
  readonly up: boolean;
  /** Why calls are refused, in the store's words, with the remedy; undefined while it is up, and before it was asked. */
  readonly cause: string | undefined;
}
