import { WorkerServiceService } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { toRpcError, unaryCall } from "@drydock/shared/grpc/client.ts";
import { type LayerLocks, LeaseLost } from "../ports/job-services.ts";
import type { Lease } from "../ports/job-source.ts";
import type { ScannerLayer } from "../ports/scanner.ts";
import type { ControllerLink } from "./link.ts";

/** How long one call may take, in milliseconds: a scan waits for it. */
const deadlineMs = 2_000;

/** LockLayer and UnlockLayer as LayerLocks. */
export class LayerLockClient implements LayerLocks {
  readonly #link: ControllerLink;
  readonly #incarnation: string;

  /** @param incarnation the process that holds the jobs */
  constructor(link: ControllerLink, incarnation: string) {
    this.#link = link;
    this.#incarnation = incarnation;
  }

  async lock(lease: Lease, layer: ScannerLayer, signal: AbortSignal): Promise<boolean> {
    const request = { lease, incarnation: this.#incarnation, ...layer };
    try {
      const { lockLayer } = WorkerServiceService;
      return (await unaryCall(this.#link.client, lockLayer, request, { deadlineMs, signal })).isLocked;
    } catch (error) {
      signal.throwIfAborted();
      if (toRpcError(error).reason === "LEASE_LOST") throw new LeaseLost(lease);
      return true;
    }
  }

  async unlock(lease: Lease, layer: ScannerLayer): Promise<void> {
    const request = { lease, incarnation: this.#incarnation, ...layer };
    try {
      await unaryCall(this.#link.client, WorkerServiceService.unlockLayer, request, { deadlineMs });
    } catch {
      // it ends by itself
    }
  }
}
