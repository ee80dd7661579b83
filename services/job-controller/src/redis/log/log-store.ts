import type { HeldLease } from "../../domain/job.ts";
import type { AppendedLog, LogPiece, LogStore } from "../../ports/log-store.ts";
import { list, number, text } from "../shards/reply.ts";
import type { Shards } from "../shards/shards.ts";

/** Of 2,000 bytes each: as many as fit in 64 KiB. */
const pieceChunks = 32;

/** The logs in Redis, each beside its job. */
export function createRedisLogStore(shards: Shards, maxLogBytes: number): LogStore {
  return {
    async append({ jobId, token, incarnation }: HeldLease, offset: number, piece: string): Promise<AppendedLog> {
      const reply = list(
        await shards.ofJob(jobId).run("log/append", jobId, token, incarnation, offset, piece, maxLogBytes),
      );
      return { length: number(reply[0]), full: reply[1] === 1 };
    },
    async read(jobId: string, offset: number): Promise<LogPiece> {
      const reply = list(await shards.ofJob(jobId).run("log/read", jobId, offset, pieceChunks));
      return { nextOffset: number(reply[0]), text: text(reply[1]) };
    },
  };
}
