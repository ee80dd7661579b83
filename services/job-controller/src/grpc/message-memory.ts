import type { ByteBudget, ByteHold } from "@drydock/shared/byte-budget.ts";
import type { WorkRequest } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { sizeOfLarge } from "@drydock/shared/grpc/request-decoder.ts";

/** How much more memory a request takes decoded than it has bytes: a lease of a Beat is an object of its own. */
const decodedTimes = 4;
/** What a decoded message takes beside its texts, in bytes. */
const messageBytes = 256;
/** A request with fewer messages that is small on the wire is not counted. */
const fewMessages = 16;
/** Requests above this have a budget of their own, in bytes: workers send them seldom, and others do not wait behind them. */
const largeBytes = 256 * 1024;

/** What requests of Work streams that were read and not begun with may hold in memory together. */
export interface MessageBudgets {
  large: ByteBudget;
  small: ByteBudget;
}

/** The memory of what all Work streams have read and not begun with. */
export class MessageMemory {
  readonly #budgets: MessageBudgets;

  constructor(budgets: MessageBudgets) {
    this.#budgets = budgets;
  }

  /**
   * Resolves when there is room for the request; undefined when it needs none. No more is to be read until then.
   * @throws ReasonedError SERVER_BUSY, as a rejection
   */
  roomFor(request: WorkRequest, signal: AbortSignal): Promise<ByteHold> | undefined {
    const size = sizeOfLarge(request);
    const { length } = request.messages;
    if (size === 0 && length <= fewMessages) return undefined;
    const bytes = size * decodedTimes + length * messageBytes;
    return this.#budgets[bytes > largeBytes ? "large" : "small"].acquire(bytes, signal);
  }
}
