/** Tells who follows a job of its changes: of this controller's alone, so they look from time to time as well. */
export class JobChanges {
  readonly #listeners = new Map<string, () => void>();

  /** The job changed, or its log grew. */
  changed(jobId: string): void {
    this.#listeners.get(jobId)?.();
  }

  /** Calls the listener, the only one of the job, with each change until it is forgotten. */
  follow(jobId: string, listener: () => void): void {
    this.#listeners.set(jobId, listener);
  }

  forget(jobId: string): void {
    this.#listeners.delete(jobId);
  }
}
