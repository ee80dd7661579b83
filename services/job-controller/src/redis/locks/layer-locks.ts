import type { HeldLease } from "../../domain/job.ts";
import { shortHash } from "../../domain/unique-key.ts";
import type { LayerLocks, ScannerLayer } from "../../ports/layer-locks.ts";
import { number } from "../shards/reply.ts";
import type { Shards } from "../shards/shards.ts";

/** How long a lock lasts, in milliseconds: so long the others wait for a worker that was killed. */
const lockMs = 15_000;

/** The locks of layers in Redis, each in the shard that its name falls to. */
export function createRedisLayerLocks(shards: Shards): LayerLocks {
  return {
    async lock(lease: HeldLease, layer: ScannerLayer): Promise<boolean> {
      const { jobId, token, incarnation } = lease;
      await shards.ofJob(jobId).run("reports/check-lease", jobId, token, incarnation);
      const name = nameOf(layer);
      return number(await shards.ofKey(name).run("locks/take", name, ownerOf(lease), lockMs)) === 1;
    },
    async unlock(lease: HeldLease, layer: ScannerLayer): Promise<void> {
      const name = nameOf(layer);
      await shards.ofKey(name).run("locks/give-back", name, ownerOf(lease));
    },
  };
}

function nameOf({ scanner, layer }: ScannerLayer): string {
  return shortHash(`${scanner}\n${layer}`);
}

/** The run that the lease is of; hashed, as the incarnation is a secret. */
function ownerOf({ jobId, token, incarnation }: HeldLease): string {
  return shortHash(`${jobId}\n${token}\n${incarnation}`);
}
