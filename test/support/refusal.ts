import assert from "node:assert/strict";
import { RpcError } from "@drydock/shared/grpc/client.ts";

/** The error that the call was refused with; fails when it was not. */
export async function refusalOf(call: Promise<unknown>): Promise<RpcError> {
  const outcome = await call.then(
    (answer) => assert.fail(`the call was answered: ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof RpcError, String(outcome));
  return outcome;
}

/** Code, reason and the fields that break their rules, for a short comparison. */
export async function refusalFacts(call: Promise<unknown>): Promise<[string, string | undefined, ...string[]]> {
  const { code, reason, violations } = await refusalOf(call);
  return [code, reason, ...violations.map(({ field }) => field)];
}
