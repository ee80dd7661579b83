import type { ClaimedJob, Job, JobCommand, JobError, Lease } from "../domain/job.ts";
import { jobStatuses } from "../domain/job-state.ts";
import type { OpenCommand } from "../ports/job-pool.ts";
import type { Reply } from "./shard.ts";

const commands: readonly (JobCommand | undefined)[] = [undefined, "stop", "cancel"];

/** The number that the scripts use for a command. */
export function commandCode(command: JobCommand): number {
  return commands.indexOf(command);
}

/** The command for the scripts' number. */
export function commandOf(code: number): JobCommand | undefined {
  return commands[code];
}

/** A job from the reply id, record, parameters and perhaps the jobs it launched. The order is that of prelude.lua. */
export function toJob(reply: Reply): Job {
  const [id, record, parameters, executions] = list(reply);
  const field = list(record);
  const phase = text(field[16]);
  return {
    id: text(id),
    status: jobStatuses[number(field[0]) - 1] ?? fault("status", field[0]),
    token: number(field[1]),
    attempt: number(field[2]),
    crashes: number(field[3]),
    revision: number(field[4]),
    command: commandOf(number(field[5])),
    name: text(field[6]),
    upstreamJobId: text(field[7]),
    enqueuedAt: number(field[8]),
    updatedAt: number(field[9]),
    runAt: number(field[10]),
    startedAt: number(field[11]),
    endedAt: number(field[12]),
    workerId: text(field[13]),
    checkIn: text(field[14]),
    checkInAt: number(field[15]),
    progress: phase === "" ? undefined : { phase, percent: number(field[17]) },
    lastError: toError(field[18]),
    traceparent: text(field[20]),
    parametersJson: text(parameters),
    executions: executions === undefined ? [] : list(executions).map(text),
  };
}

/** A claimed job from an entry of claim's reply. */
export function toClaimedJob(reply: Reply): ClaimedJob {
  const [id, token, name, attempt, logOffset, traceparent, parametersJson] = list(reply);
  return {
    id: text(id),
    token: number(token),
    name: text(name),
    attempt: number(attempt),
    logOffset: number(logOffset),
    traceparent: text(traceparent),
    parametersJson: text(parametersJson),
  };
}

/** An open command from an entry of hello's or beat's reply. */
export function toOpenCommand(reply: Reply): OpenCommand {
  const [jobId, token, code] = list(reply);
  const command = commandOf(number(code)) ?? fault("command", code);
  return { lease: { jobId: text(jobId), token: number(token) }, command };
}

/** Leases as the arguments of a script. */
export function leaseArguments(leases: readonly Lease[]): Array<string | number> {
  return leases.flatMap(({ jobId, token }) => [jobId, token]);
}

/** A reply that is a list. */
export function list(reply: Reply | undefined): Reply[] {
  return Array.isArray(reply) ? reply : fault("list", reply);
}

/** A reply that is a number. */
export function number(reply: Reply | undefined): number {
  return typeof reply === "number" ? reply : fault("number", reply);
}

/** A reply that is text. */
export function text(reply: Reply | undefined): string {
  return typeof reply === "string" ? reply : fault("text", reply);
}

function toError(reply: Reply | undefined): JobError | undefined {
  if (!Array.isArray(reply)) return undefined;
  const [reason, message, attempt, at] = reply;
  return { reason: text(reason), message: text(message), attempt: number(attempt), at: number(at) };
}

function fault(what: string, reply: unknown): never {
  throw new TypeError(`a script answered ${JSON.stringify(reply)} where a ${what} was due`);
}
