import type { ImagePolicy } from "../domain/image-policy.ts";
import type { NewException, PolicyException } from "../domain/policy-exception.ts";

/** How many policies there may be. */
export const maxPolicies = 200;
/** How many exceptions there may be. */
export const maxExceptions = 10_000;

/** The policies for images and the exceptions from them, of the whole pool. */
export interface PolicyStore {
  /** A number that grows with every change. */
  version(): Promise<number>;
  policies(): Promise<ImagePolicy[]>;
  /** All exceptions in parts, those that ended up to 90 days ago included; one that changes meanwhile may come twice. */
  exceptions(): AsyncIterable<PolicyException[]>;
  /** Stores a policy, in place of the one of the same name. @throws ReasonedError POLICIES_FULL */
  putPolicy(policy: Omit<ImagePolicy, "updatedAt">): Promise<ImagePolicy>;
  /** @throws ReasonedError POLICY_NOT_FOUND */
  deletePolicy(name: string): Promise<void>;
  /** Stores an exception, in place of the one for the same scope. @throws ReasonedError POLICIES_FULL */
  putException(exception: NewException): Promise<PolicyException>;
  /**
   * Stores an exception unless one for the same scope holds; resolves to undefined then.
   * @throws ReasonedError POLICIES_FULL
   */
  addException(exception: NewException): Promise<PolicyException | undefined>;
  /** @throws ReasonedError EXCEPTION_NOT_FOUND */
  deleteException(id: string): Promise<void>;
}

/** When findings were first found, over all images. */
export interface FirstFoundStore {
  /** The times of those keys (domain/first-found.ts), in milliseconds since 1970; undefined where none is noted. */
  times(keys: readonly string[]): Promise<Array<number | undefined>>;
  /**
   * Notes the time for keys that have none, and resolves to the times that hold. 0 stands for a key that could not be noted
   * because a million are: it counts as found long ago.
   */
  note(keys: readonly string[], at: number): Promise<number[]>;
}
