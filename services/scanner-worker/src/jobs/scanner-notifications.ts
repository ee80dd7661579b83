/** A part of what a scanner notifies of: a vulnerability came, changed or went. */
export interface NotificationPage {
  /** The scanner's names of layers that the vulnerability is or was in. */
  readonly layerNames: readonly string[];
  /** The vulnerabilities' names, for people. */
  readonly vulnerabilities: readonly string[];
  /** Where the next page begins; undefined when there is none. */
  readonly next: string | undefined;
}

/** What a scanner notifies of. All of it throws JobFailure, or the signal's reason when that aborts. */
export interface ScannerNotifications {
  /**
   * A page of a notification; undefined when there is none of that name any more.
   * @param from `next` of the page before; undefined for the first
   */
  read(name: string, from: string | undefined, signal: AbortSignal): Promise<NotificationPage | undefined>;
  /** Tells the scanner that the notification was dealt with, so that it does not come again. */
  remove(name: string, signal: AbortSignal): Promise<void>;
}
