import { isFinal } from "@drydock/job-controller/domain/job-state.ts";
import { canReach, type Delivery, type History, type JobRecord, type Sighting } from "./history-record.ts";

/** A hook is sent each event once, in order; again only if the receiver did not take it, or the controller died. */
export function faultsOfHook({ deliveries, hasHook, sightings }: JobRecord, history: History): string[] {
  if (!hasHook) return deliveries.length === 0 ? [] : ["told a hook that it does not have"];
  const steps = deliveries.flatMap((delivery, at) => faultsOfDelivery(deliveries[at - 1], delivery, history));
  return [...steps, ...faultsOfDeliveries(deliveries, sightings)];
}

function faultsOfDelivery(before: Delivery | undefined, after: Delivery, history: History): string[] {
  const { sequence, status } = after;
  if (before !== undefined && sequence < before.sequence) {
    return [`told its hook of ${before.sequence}, and then of ${sequence}`];
  }
  if (sequence === before?.sequence) {
    // the delivery may have been in flight when the controller died
    const mayRepeat = (lostAt: number) => lostAt > before.arrivedAt - 1_000 && lostAt < after.arrivedAt;
    if (!before.isTaken || history.controllerLosses.some(mayRepeat)) return [];
    return [`told its hook of ${sequence} again, after it was taken`];
  }
  if (canReach(before?.status ?? null, status, 1)) return [];
  return [`told its hook of ${status} right after ${before?.status ?? "nothing"}`];
}

/** Each event has the status that others saw from its revision to the next, and no final status is missing. */
function faultsOfDeliveries(deliveries: Delivery[], sightings: Sighting[]): string[] {
  const taken = deliveries.filter(({ isTaken }) => isTaken).sort((a, b) => a.sequence - b.sequence);
  const seen = new Map(sightings.map(({ revision, status }) => [revision, status]));
  const faults: string[] = [];
  for (const { sequence, status } of deliveries) {
    const other = seen.get(sequence) ?? status;
    if (other !== status) faults.push(`told its hook of ${status} at ${sequence}, and was ${other}`);
  }
  for (const [revision, status] of seen) {
    const last = taken.findLast(({ sequence }) => sequence <= revision);
    if (isFinal(status) && last?.sequence !== revision) {
      faults.push(`its hook does not know of ${status} at ${revision}`);
    } else if (last !== undefined && last.status !== status) {
      faults.push(`was ${status} at ${revision}, and its hook was told last of ${last.status} at ${last.sequence}`);
    }
  }
  return faults;
}

/** Pieces of a log that were read are still there, at the same offset. */
export function faultsOfLog({ log, logReads }: JobRecord): string[] {
  if (log === undefined) return logReads.length === 0 ? [] : ["its log was read, and not at the end"];
  const whole = Buffer.from(log);
  return logReads.flatMap(({ offset, text, nextOffset }) => {
    const length = Buffer.byteLength(text);
    if (nextOffset - offset !== length) return [`${length} bytes of its log go from ${offset} to ${nextOffset}`];
    const now = whole.toString("utf8", offset, nextOffset);
    return now === text ? [] : [`its log had ${JSON.stringify(text)} at ${offset}, and has ${JSON.stringify(now)}`];
  });
}

/** A run begins with the checkpoint that was acknowledged last, or with a later one whose answer was lost. */
export function faultsOfCheckpoints({ checkpoints }: JobRecord): string[] {
  const asked: string[] = [];
  const faults: string[] = [];
  let acknowledged = -1;
  for (const { kind, text } of checkpoints) {
    // the answer to a run that was lost may come late
    if (kind === "saved") acknowledged = Math.max(acknowledged, asked.lastIndexOf(text));
    else if (kind === "asked") asked.push(text);
    else faults.push(...faultsOfBegin(text, asked, acknowledged));
  }
  return faults;
}

function faultsOfBegin(text: string, asked: readonly string[], acknowledged: number): string[] {
  const at = asked.lastIndexOf(text);
  if (text !== "" && at < 0) return [`began with the checkpoint ${text}, which nobody stored`];
  if (at >= acknowledged) return [];
  const what = text === "" ? "no checkpoint" : `the checkpoint ${text}`;
  return [`began with ${what}, after ${asked[acknowledged]} was acknowledged`];
}

/** A report that was acknowledged is there, unless a later one was. */
export function faultsOfReport({ report: { acknowledged, found } }: JobRecord): string[] {
  if (acknowledged === undefined || acknowledged === found) return [];
  return [`its report ${acknowledged} was acknowledged, and ${found ?? "none"} is there`];
}
