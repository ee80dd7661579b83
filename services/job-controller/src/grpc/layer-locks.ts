import type * as message from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { LayerLocks } from "../ports/layer-locks.ts";
import { toHeldLease } from "./convert.ts";
import { validateScannerLayer } from "./validate-images.ts";

/** What the calls about the locks of layers need. */
export interface LayerLockDeps {
  layerLocks: LayerLocks;
}

/** LockLayer. */
export async function lockLayer(
  { layerLocks }: LayerLockDeps,
  request: message.LockLayerRequest,
): Promise<message.LockLayerResponse> {
  return { isLocked: await layerLocks.lock(toHeldLease(request), validateScannerLayer(request)) };
}

/** UnlockLayer. */
export async function unlockLayer(
  { layerLocks }: LayerLockDeps,
  request: message.UnlockLayerRequest,
): Promise<message.UnlockLayerResponse> {
  await layerLocks.unlock(toHeldLease(request), validateScannerLayer(request));
  return {};
}
