import type { ServerHttp2Session } from "node:http2";

/** The connections without an open call. Their clients lose nothing by their end: the next call connects again. */
export class IdleConnections {
  /** With the address of each; who has been idle for longest is the first. */
  readonly #addresses = new Map<ServerHttp2Session, string>();

  add(session: ServerHttp2Session, address: string): void {
    this.#addresses.set(session, address);
  }

  remove(session: ServerHttp2Session): void {
    this.#addresses.delete(session);
  }

  /** Removes and returns the one that has been idle for longest, of the address or, without one, of all. */
  take(address?: string): ServerHttp2Session | undefined {
    for (const [session, known] of this.#addresses) {
      if (address !== undefined && known !== address) continue;
      this.#addresses.delete(session);
      return session;
    }
    return undefined;
  }
}
