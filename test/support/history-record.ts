import { isFinal, type JobStatus, transitions } from "@drydock/job-controller/domain/job-state.ts";

/** How a job stood at one revision. */
export interface Standing {
  revision: number;
  status: JobStatus;
  /** Milliseconds since 1970. */
  updatedAt: number;
  /** What changes only together with the revision. */
  facts: Record<string, unknown>;
}

/** A job as somebody saw it, by the clock of whoever looked: asked for then, and there then. */
export interface Sighting extends Standing {
  askedAt: number;
  seenAt: number;
  /** What the present run has said of itself: the run by its start, and the percent. */
  progress: { run: number; percent: number } | undefined;
}

/** What a status hook was told. */
export interface Delivery {
  /** The revision in its webhook-id. */
  sequence: number;
  status: JobStatus;
  arrivedAt: number;
  /** Whether the receiver took it. */
  isTaken: boolean;
}

/** A run as the job's log tells of it. */
export interface LoggedRun {
  attempt: number;
  /** The steps that it tells of, in their order. */
  steps: number[];
  /** How many steps it was to take; 0 when it did not say. */
  stepCount: number;
  /** Whether the handler came to its end. */
  isDone: boolean;
}

/** A stop or cancel of a running job that was answered: its worker has still to obey. */
export interface AcknowledgedEnd {
  /** The job's revision in the answer. */
  revision: number;
  /** The run at that time, by its start in milliseconds since 1970. */
  run: number;
}

/** A piece of a log that was read, and must not change afterwards. */
export interface LogRead {
  offset: number;
  text: string;
  nextOffset: number;
}

/** What a run did with the job's checkpoint: asked for it to be stored, was told that it is, or read it at its begin. */
export interface CheckpointEvent {
  kind: "asked" | "saved" | "read";
  /** Each that is stored is another text; empty for none. */
  text: string;
}

/** All that was seen of one job. */
export interface JobRecord {
  id: string;
  sightings: Sighting[];
  /** The revisions that each watch told, in its order, over all its connections. */
  watches: number[][];
  /** How often RetryJob was asked for, answered or not. */
  retries: number;
  /** In the order of their arrival. */
  deliveries: Delivery[];
  /** Whether it has a status hook. */
  hasHook: boolean;
  /** In the order of the log; undefined when the log was not read. */
  runs: LoggedRun[] | undefined;
  /** The stops and cancels that were answered while it ran. */
  ends: AcknowledgedEnd[];
  /** What was read of the log while the job ran. */
  logReads: LogRead[];
  /** The whole log at the end; undefined when it was not read. */
  log: string | undefined;
  /** The id of the report that was acknowledged last, and of the one that is there at the end. */
  report: { acknowledged: string | undefined; found: string | undefined };
  /** In the order in which its runs did it. */
  checkpoints: CheckpointEvent[];
  /** What makes it the same job as another one, or empty. */
  uniqueKey: string;
  /** How long a run that succeeds takes at least, in milliseconds; 0 when it is not known. */
  leastRunMs: number;
}

/** All that was seen of a pool, from the first launch until nothing moved any more. */
export interface History {
  jobs: Map<string, JobRecord>;
  /** Request id -> the ids of the jobs that LaunchJob answered with. */
  launches: Map<string, Set<string>>;
  /** The jobs that the pool has at the end and no other job launched. */
  kept: Set<string>;
  /** When a controller was killed, by the clock of the sightings. */
  controllerLosses: number[];
  /** Whether workers were killed or silenced, so that healthy jobs may have run again. */
  hasWorkerLosses: boolean;
  /** Whether Redis was away, so that the lines of a run are missing that failed meanwhile and was soon tried again. */
  hasRedisLosses: boolean;
}

/** Whether the table allows to get from one status to the other in at most `changes` changes. */
export function canReach(from: JobStatus | null, to: JobStatus, changes: number): boolean {
  let reached = new Set<JobStatus | null>([from]);
  for (let i = 0; i < changes && !reached.has(to); i++) {
    const next = transitions.filter((row) => reached.has(row.from)).map((row) => row.to);
    if (next.every((status) => reached.has(status))) break;
    reached = new Set([...reached, ...next]);
  }
  return reached.has(to);
}

/** The sighting of the greatest revision. */
export function newestOf(sightings: Sighting[]): Sighting | undefined {
  return inOrder(sightings).at(-1);
}

/** The sightings in the order of their revisions. */
export function inOrder(sightings: Sighting[]): Sighting[] {
  return sightings.toSorted((a, b) => a.revision - b.revision);
}

/** The sightings of each life, in their order: RetryJob begins another one. */
export function livesOf(sightings: Sighting[]): Sighting[][] {
  const lives: Sighting[][] = [];
  for (const sighting of inOrder(sightings)) {
    const before = lives.at(-1)?.at(-1);
    const goesOn = before !== undefined && (!isFinal(before.status) || sighting.revision === before.revision);
    if (goesOn) lives.at(-1)?.push(sighting);
    else lives.push([sighting]);
  }
  return lives;
}
