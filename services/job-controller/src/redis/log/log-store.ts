import type { HeldLease } from "../../domain/job.ts";
import type { AppendedLog, LogPiece, LogStore } from "../../ports/log-store.ts";
import { list, number, text } from "../shards/reply.ts";
import type { Shards } from "../shards/shards.ts";

const pieceBytes = 64 * 1024;

/** The logs in Redis, each a stream beside its job. */
export function createRedisLogStore(shards: Shards, maxLogBytes: number): LogStore {
  return {
    async append({ jobId, token, incarnation }: HeldLease, offset: number, piece: string): Promise<AppendedLog> {
      const reply = list(
        await shards.ofJob(jobId).run("log/append", jobId, token, incarnation, offset, piece, maxLogBytes),
      );
      return { length: number(reply[0]), full: reply[1] === 1 };
    },
    async read(jobId: string, offset: number): Promise<LogPiece> {
      const reply = list(await shards.ofJob(jobId).run("log/read", jobId, offset, pieceBytes));
      return { nextOffset: number(reply[0]), text: text(reply[1]) };
    },
  };
}
