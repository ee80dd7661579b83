import assert from "node:assert/strict";
import type { JobCommand } from "@drydock/job-controller/domain/job.ts";
import type { DueHook } from "@drydock/job-controller/ports/hook-outbox.ts";
import { ClosedTypeExpirer } from "@drydock/job-controller/upkeep/expire-closed.ts";
import { fireSchedules, resumeSchedule } from "@drydock/job-controller/usecases/fire-schedules.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { newReport } from "../support/new-report.ts";
import { aSecond, backoff } from "../support/pool.ts";
import { answered, answerOf, inOrder } from "./answers.ts";
import { expireClosed } from "./closings.ts";
import { type Command, type CommandOf, names } from "./commands.ts";
import { type Driver, modelInfo, refusalFor, toCheckIn, toNewJob, toPeriodicJob } from "./driver.ts";
import * as hooks from "./hooks.ts";
import * as queue from "./queue.ts";
import * as schedules from "./schedules.ts";
import * as upkeep from "./upkeep.ts";
import * as uploads from "./uploads.ts";
import * as users from "./users.ts";
import * as workers from "./workers.ts";

const logger = createLogger({ name: "test", level: "silent" });

type Runners = { [Kind in Command["do"]]: (driver: Driver, command: CommandOf<Kind>) => Promise<unknown> };

/** Asks the pool and the model for the same, and compares what they say and how every job stands then. */
export async function runCommand(driver: Driver, command: Command): Promise<void> {
  const run = runners[command.do] as (driver: Driver, command: Command) => Promise<unknown>;
  driver.model.nextCommand();
  driver.newIds.forget();
  driver.wasRefused = false;
  await run(driver, command);
  hooks.tellChanges(driver.model);
  await driver.compareJobs();
}

const runners: Runners = {
  launch: (driver, { shape }) => {
    const job = toNewJob(shape, driver.model.now);
    return driver.both(answered(driver.under.pool.launch(job, refusalFor(shape))), () =>
      answerOf(driver, users.launch(driver.model, driver.newIds.last, job, shape)),
    );
  },
  launchPeriodic: (driver, { shape, schedule }) => {
    const job = toPeriodicJob(shape, schedule, driver.model.now);
    return driver.both(answered(driver.under.pool.launch(job, refusalFor(shape))), () =>
      answerOf(driver, users.launch(driver.model, driver.newIds.last, job, shape)),
    );
  },
  launchSubJob: (driver, { parent, key, shape }) => {
    const lease = driver.lease(parent);
    // workers cannot name a request
    const job = toNewJob({ ...shape, requestKey: "" }, driver.model.now);
    const { isFull } = shape;
    return driver.both(answered(driver.under.pool.launchSubJob(lease, key, job, refusalFor(shape))), () =>
      answerOf(driver, users.launchSubJob(driver.model, lease, key, { id: driver.newIds.last, job, isFull })),
    );
  },
  end: (driver, { target, command }) => {
    const { jobId } = driver.lease(target);
    const asked = driver.under.pool.end(jobId, command);
    return driver.both(answered(asked), () => answerOf(driver, users.end(driver.model, jobId, command)));
  },
  retry: (driver, { target }) => {
    const { jobId } = driver.lease(target);
    const asked = driver.under.pool.retry(jobId);
    return driver.both(answered(asked), () => answerOf(driver, users.retry(driver.model, jobId)));
  },
  hello: (driver, { speaker, process, naming }) => {
    if (!speaker.late) driver.connect(speaker, process);
    const worker = driver.worker(speaker);
    const named = driver.named(worker, naming);
    const asked = driver.under.pool.hello(worker, modelInfo, named);
    return driver.both(asked.then(inOrder), () => inOrder(workers.hello(driver.model, worker, named)));
  },
  beat: (driver, { speaker, naming }) => {
    const worker = driver.worker(speaker);
    const named = driver.named(worker, naming);
    const asked = driver.under.pool.beat(worker, named);
    return driver.both(asked.then(inOrder), () => inOrder(workers.beat(driver.model, worker, named)));
  },
  disconnect: (driver, { speaker, unaccepted }) => {
    const worker = driver.worker(speaker);
    const named = driver.named(worker, unaccepted);
    const asked = driver.under.pool.disconnect(worker, named);
    return driver.both(asked, () => workers.disconnect(driver.model, worker, named));
  },
  takeBack: (driver, { speaker, unaccepted }) => {
    const worker = driver.worker(speaker);
    const named = driver.named(worker, unaccepted);
    const asked = driver.under.pool.takeBack(worker, named);
    return driver.both(asked, () => workers.takeBack(driver.model, worker, named));
  },
  leave: (driver, { speaker }) => {
    const worker = driver.worker(speaker);
    return driver.both(driver.under.pool.leave(worker), () => workers.leave(driver.model, worker));
  },
  startDraining: (driver, { speaker }) => {
    const worker = driver.worker(speaker);
    workers.startDraining(driver.model, worker);
    return driver.both(driver.under.pool.update(worker, driver.infoOf(worker)), () => undefined);
  },
  closeType: (driver, { speaker, name, why, patienceMs }) => {
    const worker = driver.worker(speaker);
    const isWorkerFault = why === "own fault";
    const closed = { jobName: name, reason: "AWAY", message: "", since: driver.model.now, patienceMs, isWorkerFault };
    workers.closeType(driver.model, worker, name, why === "open" ? undefined : closed);
    const asked = driver.under.pool.update(worker, driver.infoOf(worker));
    return driver.both(asked, () => undefined);
  },
  drainWorker: (driver, { speaker }) => {
    const { workerId } = driver.worker(speaker);
    return driver.both(driver.under.pool.drainWorker(workerId), () => workers.drainWorker(driver.model, workerId));
  },
  claim: async (driver, { speaker, types, limit }) => {
    const worker = driver.worker(speaker);
    const claimed = await driver.both(driver.under.pool.claim(worker, types, limit), (answer) => {
      const taken = answer?.jobs.map(({ id }) => id) ?? [];
      const claim = queue.claim(driver.model, worker, { types, limit }, taken);
      // which jobs of other workers it comes by before it has enough is free
      queue.checkRefused(driver.model, worker, { types, limit }, answer ?? claim);
      return { ...claim, refused: answer?.refused ?? [] };
    });
    for (const { id, token } of claimed?.jobs ?? []) driver.history.once(`the claim of ${id} with token ${token}`);
  },
  checkIn: (driver, { target, note }) => {
    const lease = driver.lease(target);
    const asked = driver.under.pool.checkIn(lease, toCheckIn(note));
    return driver.both(asked, () => workers.checkIn(driver.model, lease, toCheckIn(note)));
  },
  succeed: (driver, { target, note }) => {
    const lease = driver.lease(target);
    const asked = driver.under.pool.succeed(lease, toCheckIn(note));
    return driver.both(asked, () => workers.succeed(driver.model, lease, toCheckIn(note)));
  },
  fail: (driver, { target, note, reason, retry, jitter, maxFails }) => {
    const lease = driver.lease(target);
    const failure = { reason, message: "it did not work", retry, maxFails, backoff };
    driver.under.jitter.next = jitter;
    const asked = driver.under.pool.fail(lease, failure, toCheckIn(note));
    return driver.both(asked, () => workers.fail(driver.model, lease, { ...failure, jitter }, toCheckIn(note)));
  },
  postpone: (driver, { target, delayMs, jitter, patienceMs, note }) => {
    const lease = driver.lease(target);
    const postponement = { ...aSecond, delayMs, patienceMs };
    driver.under.jitter.next = jitter;
    const asked = driver.under.pool.postpone(lease, postponement, toCheckIn(note));
    return driver.both(asked, () =>
      workers.postpone(driver.model, lease, { ...postponement, jitter }, toCheckIn(note)),
    );
  },
  refuse: (driver, { target, patienceMs, note }) => {
    const lease = driver.lease(target);
    const refusal = { patienceMs, reason: "ACCESS_DENIED", message: "not you" };
    const asked = driver.under.pool.refuse(lease, refusal, toCheckIn(note));
    return driver.both(asked, () => workers.refuseTo(driver.model, lease, refusal, toCheckIn(note)));
  },
  confirm: (driver, { target, command }) => {
    const lease = driver.lease(target);
    return driver.both(driver.under.pool.confirm(lease, command), () => workers.confirm(driver.model, lease, command));
  },
  release: (driver, { target }) => {
    const lease = driver.lease(target);
    return driver.both(driver.under.pool.release(lease), () => workers.release(driver.model, lease));
  },
  promote: (driver) => driver.both(driver.under.pool.promote(), () => upkeep.promote(driver.model)),
  reap: (driver) => driver.both(driver.under.pool.reap(), () => upkeep.reap(driver.model)),
  expire: (driver) => driver.both(driver.under.pool.expire(), () => upkeep.expire(driver.model)),
  expireClosed: async (driver) => {
    const { under, model, history } = driver;
    const waited = names.flatMap((name) => queue.waiting(model, name)).map(({ id }) => id);
    await new ClosedTypeExpirer({ ...under, logger, settleMs: 0 }).run(new AbortController().signal);
    const jobs = await Promise.all(waited.map((id) => under.pool.get(id)));
    const ended = new Set(jobs.filter(({ status }) => status === "ERROR").map(({ id }) => id));
    for (const name of names) expireClosed(model, name, { updatedAt: (id) => history.updatedAt(id), ended });
  },
  endSubJobs: async (driver) => {
    // in which order they are passed on is free, and with it how many steps that takes
    while ((await driver.under.pool.endSubJobs()).more);
    const ended = new Map<string, JobCommand>();
    for (const { id } of driver.model.inStatus("SCHEDULED", "PENDING")) {
      const { status } = await driver.under.pool.get(id);
      ended.set(id, status === "STOPPED" ? "stop" : "cancel");
    }
    users.endSubJobs(driver.model, ({ id }) => ended.get(id) ?? "stop");
  },
  fire: async (driver) => {
    await fireSchedules(driver.under);
    schedules.fire(driver.model, ({ id }) => driver.newIds.ofPeriodic(id));
  },
  pauseSchedule: (driver, { target }) => {
    const { jobId } = driver.lease(target);
    const asked = driver.under.schedules.pause(jobId);
    return driver.both(answered(asked), () => answerOf(driver, schedules.pause(driver.model, jobId)));
  },
  resumeSchedule: (driver, { target }) => {
    const { jobId } = driver.lease(target);
    const asked = driver.under.pool.get(jobId).then((job) => resumeSchedule(driver.under, job));
    return driver.both(answered(asked), () => answerOf(driver, schedules.resume(driver.model, jobId)));
  },
  sweep: (driver, { status, keepMs }) => {
    const before = driver.model.now - keepMs;
    const swept = driver.under.pool.sweep(status, before, before).then(() => {});
    return driver.both(swept, () => upkeep.sweep(driver.model, status, before));
  },
  pause: (driver, { name, pauses }) =>
    driver.both(driver.under.queues.pause(name, pauses), () => upkeep.pause(driver.model, name, pauses)),
  drain: async (driver, { name, limit }) => {
    const { pool, queues } = driver.under;
    const drain = driver.drains.get(name) ?? queue.beginDrain(driver.model, name);
    const waited = queue.waiting(driver.model, name).map(({ id }) => id);
    const report = await queues.drain(name, drain.next, limit);
    const jobs = await Promise.all(waited.map((id) => pool.get(id)));
    const stopped = new Set(jobs.filter(({ status }) => status === "STOPPED").map(({ id }) => id));
    const part = { name, limit, stopped, isLast: report.next === "" };
    assert.equal(report.stopped, queue.drain(driver.model, drain, part));
    if (part.isLast) driver.drains.delete(name);
    else driver.drains.set(name, { ...drain, next: report.next });
  },
  appendLog: (driver, { target, place, text }) => {
    const lease = driver.lease(target);
    const length = driver.model.jobs.get(lease.jobId)?.log.length ?? 0;
    const offset = place === "end" ? length : place === "before" ? Math.max(0, length - 3) : length + 1;
    const asked = driver.under.logs.append(lease, offset, text);
    return driver.both(asked, () => uploads.appendLog(driver.model, lease, offset, text));
  },
  readLog: (driver, { target, percent }) => {
    const { jobId } = driver.lease(target);
    const length = driver.model.jobs.get(jobId)?.log.length ?? 0;
    const offset = Math.floor((length * percent) / 100);
    return driver.both(driver.under.logs.read(jobId, offset), () => uploads.readLog(driver.model, jobId, offset));
  },
  putReport: (driver, { target, digest, text }) => {
    const lease = driver.lease(target);
    const asked = driver.under.reports.put(lease, newReport(lease.jobId, digest, Buffer.from(text)));
    return driver.both(asked, () => uploads.putReport(driver.model, lease, digest, text));
  },
  saveCheckpoint: (driver, { target, text }) => {
    const lease = driver.lease(target);
    const asked = driver.under.checkpoints.save(lease, text);
    return driver.both(asked, () => uploads.saveCheckpoint(driver.model, lease, text));
  },
  readCheckpoint: (driver, { target }) => {
    const lease = driver.lease(target);
    return driver.both(driver.under.checkpoints.read(lease), () => uploads.readCheckpoint(driver.model, lease));
  },
  tellHooks: async (driver, { limit }) => {
    const overdue = hooks.overdueHooks(driver.model).length;
    const { due } = await driver.under.hooks.due(limit);
    // whose turn it is is free, but not that it is nobody's
    assert.ok(due.length > 0 || overdue === 0, `${overdue} hooks are due, and none is told`);
    for (const one of due) {
      const delivery = hooks.takeDelivery(driver.model, one.jobId);
      compareDue(driver, one, delivery);
      driver.deliveries.push({ due: one, delivery });
    }
  },
  settleHook: async (driver, { nth, outcome }) => {
    const [taken] = driver.deliveries.splice(nth % Math.max(1, driver.deliveries.length), 1);
    if (taken === undefined) return;
    const { due, delivery } = taken;
    const settlement = outcome === "retry" ? { kind: outcome, at: driver.model.now + 1_000 } : { kind: outcome };
    const asked = driver.under.hooks.settle(due, settlement, outcome === "delivered" ? "" : "HTTP 500");
    await driver.both(asked, () => hooks.settleDelivery(driver.model, delivery, settlement));
  },
  redeliver: async (driver, { target }) => {
    // by a clock that is behind, a delivery under way may seem to last longer than any can
    if (driver.model.now < driver.model.latest) return;
    const { jobId } = driver.lease(target);
    await driver.both(driver.under.hooks.redeliver(jobId), () => hooks.redeliver(driver.model, jobId));
  },
  wait: async (driver, { ms }) => driver.wait(ms),
};

/** What is told is the job's oldest event; its sequence is a revision, and grows from event to event. */
function compareDue({ model, history }: Driver, due: DueHook, delivery: hooks.ModelDelivery): void {
  const { statusHook, hook } = model.find(due.jobId);
  const { sequence, ...shown } = due.event;
  const { status, checkIn, at, number } = delivery.event;
  const times = hook?.redeliveredAt.map((redelivered) => Math.max(at, redelivered)) ?? [];
  assert.ok(times.includes(shown.at), `${due.jobId} tells of an event of ${shown.at}, not of ${times}`);
  assert.ok(
    hook?.failures.includes(due.failures),
    `${due.jobId} has failed ${due.failures} times, not ${hook?.failures}`,
  );
  assert.deepEqual({ url: due.url, ...shown }, { url: statusHook, status, checkIn, at: shown.at });
  assert.equal(due.leaseEndsAt, delivery.leaseEndsAt);
  history.tell(due.jobId, number, sequence);
}
