import type { Job } from "@drydock/job-controller/domain/job.ts";
import { isFinal, jobStatuses } from "@drydock/job-controller/domain/job-state.ts";
import { hostOf } from "@drydock/job-controller/domain/status-hook.ts";
import type { ScriptedRedis } from "@drydock/job-controller/redis/shards/shard.ts";

/** What the parts of an audit look at. */
export interface Audited {
  redis: ScriptedRedis;
  /** The shard's hash tag. */
  prefix: string;
  jobs: ReadonlyMap<string, Job>;
}

type Part = (audited: Audited) => Promise<string[]>;

/** Queues, limits, and what belongs to a job: each part says what is wrong. */
export async function auditParts(audited: Audited): Promise<string[]> {
  const parts = [
    lanes,
    waiting,
    sections,
    running,
    leftovers,
    refusals,
    uniqueKeys,
    expiring,
    holders,
    subJobTotals,
    subJobLists,
    waitingLaunches,
    ...hookParts,
  ];
  return (await Promise.all(parts.map((part) => part(audited)))).flat();
}

/** A lane has jobs, and a score within its rank. */
const lanes: Part = async ({ redis, prefix }) => {
  const faults: string[] = [];
  for (const [name, lane, score] of await readLanes(redis, prefix)) {
    const rank = Math.floor(score / 2 ** 40);
    if (rank !== Number(lane[0])) faults.push(`lane ${lane} of ${name} has the rank ${rank}`);
    if ((await redis.llen(`${prefix}ready:${name}:${lane}`)) === 0) faults.push(`lane ${lane} of ${name} is empty`);
  }
  return faults;
};

/** Jobs that wait are in a lane, and in the right one. */
const waiting: Part = async ({ redis, prefix, jobs }) => {
  const known = new Set((await readLanes(redis, prefix)).map(([name, lane]) => `${name}:${lane}`));
  const faults: string[] = [];
  const check = async (key: string, lane: string) => {
    if (!known.has(lane)) faults.push(`${lane} has jobs and no lane`);
    const strangers = (await redis.lrange(key, 0, -1)).filter((id) => ofKind(lane) !== laneOf(jobs.get(id)));
    faults.push(...strangers.map((id) => `${id} waits in the lane ${lane}`));
  };
  await eachKey({ redis, prefix, kind: "ready" }, check);
  await eachKey({ redis, prefix, kind: "section" }, (key, rest) => check(key, rest.replace(/:\d+:/, ":")));
  return faults;
};

/** The sections behind the front of a lane are those that it lists, each short enough to be searched. */
const sections: Part = async ({ redis, prefix }) => {
  const [listed, found]: [string[], string[]] = [[], []];
  await eachKey({ redis, prefix, kind: "sections" }, async (key, lane) => {
    const [name = "", ...rest] = lane.split(":");
    for (const number of await redis.zrange(key, "0", "-1")) listed.push(`${name}:${number}:${rest.join(":")}`);
  });
  const long: string[] = [];
  await eachKey({ redis, prefix, kind: "section" }, async (key, section) => {
    found.push(section);
    if ((await redis.llen(key)) > 200) long.push(section);
  });
  return [
    ...listed.filter((section) => !found.includes(section)).map((section) => `the section ${section} is empty`),
    ...found.filter((section) => !listed.includes(section)).map((section) => `the section ${section} is not listed`),
    ...long.map((section) => `the section ${section} is too long`),
  ];
};

/** Each entry that counts for a limit is of a running job. */
const running: Part = async ({ redis, prefix, jobs }) => {
  const faults: string[] = [];
  await eachKey({ redis, prefix, kind: "running" }, async (key, name) => {
    for (const entry of await redis.zrange(key, "0", "-1")) {
      const job = jobs.get(entry.split(" ")[1] ?? "");
      const isRight = job?.status === "RUNNING" && job.name === name && entry === `${job.fairnessKey} ${job.id}`;
      if (!isRight) faults.push(`${entry} counts as running of ${name}: it is ${job?.status}`);
    }
  });
  return faults;
};

/** The keys of a job are removed with it. */
const leftovers: Part = async ({ redis, prefix, jobs }) => {
  const faults: string[] = [];
  for (const kind of [
    "log",
    "checkpoint",
    "sub-jobs",
    "sub-job-keys",
    "sub-job-totals",
    "schedule",
    "hook-events",
    "hook-failed",
  ]) {
    await eachKey({ redis, prefix, kind }, async (key, id) => {
      if (!jobs.has(id)) faults.push(`${key} is left of a job that is gone`);
    });
  }
  return faults;
};

/** Who does not get a job for now is remembered while it is put off, or after a loss. */
const refusals: Part = async ({ redis, prefix, jobs }) => {
  const faults: string[] = [];
  await eachKey({ redis, prefix, kind: "refused" }, async (key, id) => {
    const job = jobs.get(id);
    if (!job?.postponedSince && !job?.crashes) faults.push(`${key} is left of a job that is not put off`);
  });
  return faults;
};

const uniqueKeys: Part = async ({ redis, prefix, jobs }) => {
  const all = Object.entries(await redis.hgetall(`${prefix}unique`));
  const [reserved = [], held = []] = [true, false].map((is) => all.filter(([, holder]) => holder.includes(" ") === is));
  const [has, should] = [await redis.zrange(`${prefix}reserved`, "0", "-1"), reserved.map(([key]) => key)];
  const differing = [...has.filter((key) => !should.includes(key)), ...should.filter((key) => !has.includes(key))];
  const wrong = held.filter(([key, id]) => {
    const job = jobs.get(id);
    return job === undefined || isFinal(job.status) || job.uniqueKey !== key;
  });
  return [
    ...differing.map((key) => `the reservation of the unique key ${key} is never looked at, or is none`),
    ...wrong.map(([key, id]) => `${id} holds the unique key ${key}: it is ${jobs.get(id)?.status}`),
  ];
};

const expiring: Part = async ({ redis, prefix, jobs }) => {
  const ids = await redis.zrange(`${prefix}expiring`, "0", "-1");
  const wrong = ids.filter((id) => {
    const { status = "gone", policy } = jobs.get(id) ?? {};
    return !["SCHEDULED", "PENDING"].includes(status) || !policy?.queueTimeoutMs;
  });
  return wrong.map((id) => `${id} is to expire: it is ${jobs.get(id)?.status}`);
};

const holders: Part = async ({ redis, prefix }) => {
  const faults: string[] = [];
  await eachKey({ redis, prefix, kind: "held" }, async (_, worker) => {
    if ((await redis.zscore(`${prefix}leases`, worker)) === null) faults.push(`${worker} holds jobs without a lease`);
  });
  return faults;
};

/** A hook is due at its host exactly when it has an event to send, and the host is in exactly one class then. */
const dueHooks: Part = async ({ redis, prefix, jobs }) => {
  const faults: string[] = [];
  const entries: Array<[id: string, host: string]> = [];
  await eachKey({ redis, prefix, kind: "hook-due" }, async (key, host) => {
    for (const id of await redis.zrange(key, "0", "-1")) entries.push([id, host]);
  });
  const due = new Map(entries);
  for (const [id, host] of entries) {
    const events = await redis.llen(`${prefix}hook-events:${id}`);
    if (events === 0) faults.push(`the hook of ${id} is due with nothing to send`);
    if (hostOf(jobs.get(id)?.statusHook ?? "") !== host) faults.push(`the hook of ${id} is not due at ${host}`);
  }
  await eachKey({ redis, prefix, kind: "hook-events" }, async (key, id) => {
    if (!due.has(id)) faults.push(`${key} is never sent: it is not due`);
  });
  const waiting = Number(await redis.get(`${prefix}hook-waiting`));
  if (waiting !== entries.length) faults.push(`${waiting} hooks are counted as waiting, there are ${entries.length}`);
  return [...faults, ...(await hookHosts({ redis, prefix, jobs }, due))];
};

const hookHosts = async ({ redis, prefix }: Audited, due: ReadonlyMap<string, string>): Promise<string[]> => {
  const classed: string[] = [];
  await eachKey({ redis, prefix, kind: "hook-hosts" }, async (key) => {
    classed.push(...(await redis.zrange(key, "0", "-1")));
  });
  const faults: string[] = [];
  await eachKey({ redis, prefix, kind: "hook-leases" }, async (key, host) => {
    const strangers = (await redis.zrange(key, "0", "-1")).filter((id) => due.get(id) !== host);
    faults.push(...strangers.map((id) => `${id} is leased at ${host} and not due there`));
  });
  if (classed.length !== new Set(classed).size) faults.push(`a host is in two classes: ${classed}`);
  const known = new Set(due.values());
  const differing = [
    ...classed.filter((host) => !known.has(host)),
    ...[...known].filter((host) => !classed.includes(host)),
  ];
  return [
    ...faults,
    ...differing.map((host) => `the host ${host} is in a class without events, or in none with events`),
  ];
};

/** A hook's status follows from its events. */
const hookStatuses: Part = async ({ redis, prefix, jobs }) => {
  const faults: string[] = [];
  const idsOf = async (kind: string) => {
    const ids = new Set<string>();
    await eachKey({ redis, prefix, kind }, async (_, id) => void ids.add(id));
    return ids;
  };
  const [waiting, failed] = [await idsOf("hook-events"), await idsOf("hook-failed")];
  for (const { id, hookStatus } of jobs.values()) {
    const allowed = failed.has(id) ? ["FAILED"] : waiting.has(id) ? ["PENDING"] : ["DELIVERED", "NONE"];
    if (!waiting.has(id)) allowed.push("GONE");
    if (!allowed.includes(hookStatus)) faults.push(`the hook of ${id} is ${hookStatus}, not ${allowed[0]}`);
  }
  return faults;
};

/** The entries of a hook are removed with its job. */
const hookLeftovers: Part = async ({ redis, prefix, jobs }) => {
  const known = new Map([["hook-failing", await redis.zrange(`${prefix}hook-failing`, "0", "-1")]]);
  for (const kind of ["hook-tries", "hook-causes", "hook-redelivered"]) {
    known.set(kind, await redis.hkeys(`${prefix}${kind}`));
  }
  return [...known].flatMap(([kind, ids]) =>
    ids.filter((id) => !jobs.has(id)).map((id) => `${kind} knows ${id}, which is gone`),
  );
};

const hookParts = [dueHooks, hookStatuses, hookLeftovers];

/** A parent's totals count all its sub-jobs; those that are removed had ended. */
const subJobTotals: Part = async ({ jobs }) => {
  const faults: string[] = [];
  const families = Map.groupBy(jobs.values(), ({ upstreamJobId }) => upstreamJobId);
  for (const { id, executionTotals: totals } of jobs.values()) {
    for (const status of jobStatuses) {
      const count = families.get(id)?.filter((child) => child.status === status).length ?? 0;
      const counted = totals[status] ?? 0;
      const isRight = isFinal(status) ? count <= counted : count === counted;
      if (!isRight) faults.push(`${id} counts ${counted} ${status} of ${count}`);
    }
  }
  return faults;
};

/** A parent lists the jobs that it launched and that are kept. */
const subJobLists: Part = async ({ redis, prefix, jobs }) => {
  const listed = new Map<string, Set<string>>();
  await eachKey({ redis, prefix, kind: "sub-jobs" }, async (key, parent) => {
    const entries = await redis.xrange(key, "-", "+");
    listed.set(parent, new Set(entries.map(([, [, id = ""]]) => id)));
  });
  const families = Map.groupBy(jobs.values(), ({ upstreamJobId }) => upstreamJobId);
  return [...jobs.keys(), ...listed.keys()].flatMap((parent) => {
    const [list = new Set(), family = []] = [listed.get(parent), families.get(parent)];
    const isRight = list.size === family.length && family.every(({ id }) => list.has(id));
    return isRight ? [] : [`${parent} lists ${list.size} jobs and has launched ${family.length}`];
  });
};

/** A launch waits for a job that is alive, of a periodic job that has not ended. */
const waitingLaunches: Part = async ({ jobs }) => {
  const waiting = [...jobs.values()].filter(({ periodicCounts }) => periodicCounts?.waiting);
  const wrong = waiting.filter(({ status, executionTotals: { SCHEDULED = 0, PENDING = 0, RUNNING = 0 } }) => {
    return status !== "SCHEDULED" || SCHEDULED + PENDING + RUNNING === 0;
  });
  return wrong.map(({ id }) => `${id} has a launch that waits for nothing`);
};

async function readLanes(
  redis: ScriptedRedis,
  prefix: string,
): Promise<Array<[name: string, lane: string, score: number]>> {
  const found: Array<[string, string, number]> = [];
  await eachKey({ redis, prefix, kind: "lanes" }, async (key, name) => {
    const scored = await redis.zrange(key, "0", "-1", "WITHSCORES");
    for (let at = 0; at < scored.length; at += 2) found.push([name, scored[at] ?? "", Number(scored[at + 1])]);
  });
  return found;
}

/** A lane of refused jobs is beside the one where the job waits otherwise. */
function ofKind(lane: string): string {
  return lane.replace(/^([^:]*:\d)!/, "$1:");
}

/** Where the job should wait. */
function laneOf(job: Job | undefined): string {
  return job === undefined ? "" : `${job.name}:${9 - job.priority}:${job.fairnessKey}`;
}

async function eachKey(
  { redis, prefix, kind }: { redis: ScriptedRedis; prefix: string; kind: string },
  look: (key: string, rest: string) => Promise<void>,
): Promise<void> {
  const start = `${prefix}${kind}:`;
  for (const key of await redis.keys(`${start}*`)) await look(key, key.slice(start.length));
}
