import type { Job, JobCommand } from "@drydock/job-controller/domain/job.ts";
import type { OpenCommand } from "@drydock/job-controller/ports/job-pool.ts";
import { type Driver, shown } from "./driver.ts";
import * as hooks from "./hooks.ts";
import type { ModelJob } from "./state.ts";

/** The answers to users leave out what the job launched; GetJob shows it. */
export async function answered(asked: Promise<Job>) {
  return withoutLaunched(shown(await asked));
}

/** What the model says to the same. */
export function answerOf(driver: Driver, job: ModelJob) {
  hooks.tellChanges(driver.model);
  return withoutLaunched(driver.model.show(job));
}

function withoutLaunched<T extends Pick<Job, "executions" | "executionTotals" | "lastError">>(job: T) {
  const { executions: _, executionTotals: _totals, lastError, ...facts } = job;
  return { ...facts, lastError: lastError && { ...lastError, message: "" } };
}

/** The commands of a reply come in any order. */
export function inOrder<T extends { commands: OpenCommand[] }>(reply: T): T {
  const key = ({ lease, command }: { lease: { jobId: string }; command: JobCommand }) => lease.jobId + command;
  return { ...reply, commands: reply.commands.toSorted((a, b) => key(a).localeCompare(key(b))) };
}
