/**
 * The five invariants of the engine, checked at every committed write and every second of simulated time, against
 * the truth of the world and not against what the operator believes.
 */
import type { RolloutStatus } from '#api/status.ts';
import type { KubeObject } from '#ports/cluster.ts';
import type { WatchEvent } from '#test/fakes/cluster.ts';
import { type TrafficLog, weightAt } from './metrics.ts';
import {
  canaryWeight,
  FOR_MS,
  fieldManager,
  INTERVAL_MS,
  PLAN_WEIGHTS,
  rolloutResource,
  routeResource,
} from './scenario.ts';
import { type Truth, within } from './truth.ts';

export class Violation extends Error {}

/** How long after everything works again canary may still have traffic: stage budget, a restart, a tick. */
const ROLLBACK_GRACE_MS = 20_000;

export class Checker {
  readonly #truth: Truth;
  readonly #log: TrafficLog;
  #status: RolloutStatus = {};
  #weight = 0;
  #rolledBackRun: string | undefined;
  /** Since when all of process, API server, Prometheus and stable have worked. */
  #healthySinceMs = 0;
  raises = 0;
  rollbacks = 0;

  constructor(truth: Truth, log: TrafficLog) {
    this.#truth = truth;
    this.#log = log;
  }

  /** Every write that the API server has committed. */
  committed(event: WatchEvent, nowMs: number): void {
    if (event.resource.kind === rolloutResource.kind) this.#statusWritten(event.object);
    if (event.resource.kind === routeResource.kind) this.#routeWritten(event.object, nowMs);
  }

  /** Called for every second. */
  tick(nowMs: number, isOperational: boolean): void {
    const isHealthy =
      isOperational &&
      !within(this.#truth.unreachable, nowMs) &&
      !within(this.#truth.unscraped, nowMs) &&
      !within(this.#truth.apiDown, nowMs) &&
      !within(this.#truth.stableDown, nowMs);
    if (!isHealthy) this.#healthySinceMs = nowMs;
    const heldSinceMs = this.#heldSince(nowMs);
    if (heldSinceMs === undefined || this.#weight === 0) return;
    const dueMs = Math.max(heldSinceMs + FOR_MS, this.#healthySinceMs) + ROLLBACK_GRACE_MS;
    if (nowMs > dueMs) {
      throw new Violation(
        `invariant 1: the breach has held since ${time(heldSinceMs)}, all has worked since ${time(this.#healthySinceMs)}, and canary still has ${this.#weight} % at ${time(nowMs)}`,
      );
    }
  }

  /** Since when, up to now, every second was a breach that Prometheus has seen in this run. */
  #heldSince(nowMs: number): number | undefined {
    const { phase, startedAt } = this.#status;
    // An ended run no longer watches, and a rolled back one that has let go leaves the route to its owner.
    if (
      phase === undefined ||
      startedAt === undefined ||
      phase === 'Succeeded' ||
      phase === 'RolledBack'
    ) {
      return undefined;
    }
    let sinceMs: number | undefined;
    for (let atMs = nowMs; atMs >= Date.parse(startedAt); atMs -= 1_000) {
      const isSeen =
        within(this.#truth.breaches, atMs) &&
        !within(this.#truth.unscraped, atMs) &&
        weightAt(this.#log, atMs) > 0;
      if (!isSeen) break;
      sinceMs = atMs;
    }
    // A reading stands on the grid: the breach is first seen at the next point.
    return sinceMs === undefined ? undefined : Math.ceil(sinceMs / INTERVAL_MS) * INTERVAL_MS;
  }

  #statusWritten(object: KubeObject): void {
    const status = (object['status'] ?? {}) as RolloutStatus;
    const before = this.#status;
    const passed = (one: RolloutStatus) =>
      (one.plan ?? []).flatMap((point) => (point.passedAt === undefined ? [] : [point.name]));
    if (before.runId === status.runId) {
      const [was, is] = [passed(before), passed(status)];
      if (is.length > was.length + 1 || was.some((point) => !is.includes(point))) {
        throw new Violation(
          `invariant 3: points passed went from ${was.join(', ')} to ${is.join(', ')}`,
        );
      }
      if (before.rollback !== undefined && status.rollback === undefined) {
        throw new Violation('invariant 1: a rollback was forgotten');
      }
    }
    if (before.rollback === undefined && status.rollback !== undefined) this.rollbacks += 1;
    if (status.rollback !== undefined) this.#rolledBackRun = status.runId;
    this.#status = status;
  }

  #routeWritten(object: KubeObject, nowMs: number): void {
    const before = this.#weight;
    this.#weight = canaryWeight(object);
    if (this.#weight !== before) this.#log.changes.push({ atMs: nowMs, weight: this.#weight });
    const writer = object.metadata.managedFields?.at(-1)?.manager;
    const mark = object.metadata.annotations?.['genesis.dev/rolled-back'];
    if (mark !== undefined) this.#rolledBackRun = mark;
    if (this.#weight === before || lastWriter(object) !== fieldManager) return;
    if (!PLAN_WEIGHTS.includes(this.#weight)) {
      throw new Violation(`invariant 3: ${writer} wrote ${this.#weight} %`);
    }
    if (this.#weight > before) this.#raised(before, nowMs);
  }

  #raised(before: number, nowMs: number): void {
    this.raises += 1;
    const to = this.#weight;
    if (this.#rolledBackRun !== undefined && this.#rolledBackRun === this.#status.runId) {
      throw new Violation(
        `invariant 1: canary rose from ${before} to ${to} % in a rolled back run`,
      );
    }
    // What has succeeded goes on being asserted, whoever changes it.
    if (this.#status.phase === 'Succeeded') return;
    if (this.#status.pausedBy !== undefined) {
      throw new Violation(`invariant 2: canary rose to ${to} % while paused`);
    }
    // The reading is at most a tick and the time of the writes old.
    const ticks = [0, 1, 2].map((n) => (Math.floor(nowMs / INTERVAL_MS) - n) * INTERVAL_MS);
    // A clock that is a little ahead asks for a moment to come, and gets the newest sample: this very moment.
    ticks.push(nowMs);
    const isKnownGood = ticks.some(
      (tick) =>
        weightAt(this.#log, tick) === 0 ||
        (!within(this.#truth.unscraped, tick) && !within(this.#truth.breaches, tick)),
    );
    if (!isKnownGood) {
      throw new Violation(
        `invariant 2: canary rose from ${before} to ${to} % without a good reading`,
      );
    }
  }
}

/** By managedFields: who changed the rules last. */
function lastWriter(object: KubeObject): string | undefined {
  const entries = (object.metadata.managedFields ?? []).filter((entry) => {
    const spec = (entry.fieldsV1 as Record<string, unknown> | undefined)?.['f:spec'];
    return typeof spec === 'object' && spec !== null && 'f:rules' in spec;
  });
  return entries.at(-1)?.manager;
}

function time(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 23);
}
