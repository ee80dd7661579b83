import type { Lease } from "../../domain/job.ts";
import type { OpenCommand } from "../../ports/job-pool.ts";
import { toOpenCommand } from "../record/job-codec.ts";
import type { Reply } from "../shards/reply.ts";
import { list, number } from "../shards/reply.ts";

/** The leases of a shard that a script was asked about, and what it replied. */
export interface HeldReply {
  own: Lease[];
  reply: Reply;
}

/** The leases of all shards by the verdict of the script on each, 1 or 0, and the open commands. */
export function splitByVerdict(replies: HeldReply[]): { named: Map<number, Lease[]>; commands: OpenCommand[] } {
  const named = new Map<number, Lease[]>([
    [0, []],
    [1, []],
  ]);
  const commands: OpenCommand[] = [];
  for (const { own, reply } of replies) {
    const [verdicts, open] = list(reply);
    for (const [at, lease] of own.entries()) named.get(number(list(verdicts)[at]))?.push(lease);
    commands.push(...list(open).map(toOpenCommand));
  }
  return { named, commands };
}
