/**
 * The five invariants of the engine, checked at every committed write and every second of simulated time, against
 * the truth of the world and not against what the operator believes.
 */
import type { RolloutSpecInput } from '#api/rollout.ts';
import type { RolloutStatus } from '#api/status.ts';
import type { KubeObject } from '#ports/cluster.ts';
import type { WatchEvent } from '#test/fakes/cluster.ts';
import { SEQUENTIAL, wasNeverWorse } from './counters.ts';
import { flagWeight, isFlag, isFlagOurs } from './flag.ts';
import { Gates, type Moment } from './gates.ts';
import { falseInHold, HeldSince, type Memory, type TriggerTruth, truthsOf } from './held.ts';
import { HeldOver } from './held-over.ts';
import { Once } from './once.ts';
import { PeopleLog } from './people-log.ts';
import {
  canaryWeight,
  fieldManager,
  INTERVAL_MS,
  PLAN_WEIGHTS,
  rolloutResource,
  routeResource,
} from './scenario.ts';
import { type TrafficLog, weightAt } from './traffic-log.ts';
import { isCanaryUnscraped, type Truth, within } from './truth.ts';

export class Violation extends Error {}

/** How long after everything works again canary may still have traffic: stage budget, a restart, a tick. */
const ROLLBACK_GRACE_MS = 20_000;

/** Of the only criterion; see features. */
const CRITERION_FOR_MS = 20_000;

export interface Checked {
  readonly spec: RolloutSpecInput;
  readonly truth: Truth;
  readonly log: TrafficLog;
  readonly memory: Memory;
  readonly startMs: number;
}

/** What the world knows of its processes at one second. */
export interface Processes {
  readonly isOperational: boolean;
  /** The same process runs alone as a second ago, by the same clock. */
  readonly isRemembered: boolean;
  readonly isSameClock: boolean;
  /** Since when the only process has what those before it have kept. */
  readonly archiveReadMs: number | undefined;
}

export class Checker {
  readonly people = new PeopleLog();
  readonly #truth: Truth;
  readonly #log: TrafficLog;
  readonly #held: HeldSince;
  readonly #heldOver = new HeldOver();
  readonly #memory: Memory;
  readonly #gates: Gates;
  readonly #once: Once;
  #status: RolloutStatus = {};
  #weight = 0;
  /** Undefined where there is none. */
  #flag: number | undefined;
  /** When another writer set a route or the flag. */
  #otherWroteMs = 0;
  #rolledBackRun: string | undefined;
  /** Since when all of process, API server, Prometheus and stable have worked. */
  #healthySinceMs = 0;
  /** Readings of a clock that was off are good for nothing for a while after. */
  #clockWrongUntilMs = 0;
  raises = 0;
  rollbacks = 0;

  constructor({ spec, truth, log, memory, startMs }: Checked) {
    this.#truth = truth;
    this.#log = log;
    this.#memory = memory;
    this.#held = new HeldSince(truthsOf(spec, truth, log, memory));
    this.#gates = new Gates(spec, this.people, startMs);
    this.#once = new Once(spec);
  }

  /** Every write that the API server has committed. */
  committed({ type, resource, object }: WatchEvent, moment: Moment): void {
    if (type === 'deleted') {
      if (resource.kind !== rolloutResource.kind) return;
      this.#expectLetGo(object, moment);
      // Nobody watches a rollout that is gone.
      this.#status = {};
      return;
    }
    if (isFlag(object)) this.#flagWritten(object, moment);
    if (resource.kind === rolloutResource.kind) this.#statusWritten(object, moment);
    if (resource.kind === routeResource.kind) this.#routeWritten(object, moment);
    if (resource.kind === 'Job' && type === 'added') refuse('once', this.#once.jobCreated(object));
  }

  /** Called for every second. */
  tick({ nowMs, offMs }: Moment, processes: Processes): void {
    const { isOperational, isRemembered, archiveReadMs = nowMs } = processes;
    if (offMs !== 0) this.#noteWrongClock(nowMs);
    const isHealthy =
      isOperational &&
      !within(this.#truth.unreachable, nowMs) &&
      !isCanaryUnscraped(this.#truth, nowMs) &&
      !within(this.#truth.apiDown, nowMs) &&
      !within(this.#truth.stableDown, nowMs) &&
      // The flag is in a ConfigMap too.
      !(this.#flag !== undefined && within(this.#truth.evidenceDown, nowMs));
    if (!isHealthy) this.#healthySinceMs = nowMs;
    // Results of a suite are kept by their times, which a wrong clock falsifies.
    const isKept = processes.isSameClock && this.#clockWrongUntilMs <= nowMs;
    const memory = { isRemembered, isKept: isKept || isRemembered };
    this.#held.second(nowMs, this.#isWatched(nowMs), memory);
    if (this.#weight === 0 && (this.#flag ?? 0) === 0) return;
    for (const truth of this.#held.truths) {
      const isOfSuite = truth.trigger.name === 'pass-rate';
      this.#expectLowered(truth, nowMs, isOfSuite ? archiveReadMs : 0);
    }
  }

  #noteWrongClock(nowMs: number): void {
    this.#clockWrongUntilMs = nowMs + 180_000;
  }

  /** An ended run no longer watches, and a rolled back one that has let go leaves the route to its owner. */
  #isWatched(nowMs: number): boolean {
    const { phase, startedAt } = this.#status;
    const hasEnded = phase === undefined || phase === 'Succeeded' || phase === 'RolledBack';
    return !hasEnded && startedAt !== undefined && nowMs >= Date.parse(startedAt);
  }

  #expectLowered(truth: TriggerTruth, nowMs: number, knownSinceMs: number): void {
    const heldSinceMs = this.#held.of(truth);
    if (heldSinceMs === undefined || truth.rollbackAfterMs === undefined) return;
    if (truth.trigger.severity !== 'Critical') return;
    const ableSinceMs = Math.max(this.#healthySinceMs, knownSinceMs);
    // The ladder begins when the trigger fires; what held while nobody could ask fires when somebody can.
    const firesMs = Math.min(this.#firingMs(truth) ?? ableSinceMs, ableSinceMs);
    const ladderMs = Math.max(heldSinceMs + truth.forMs, firesMs) + truth.rollbackAfterMs;
    const dueMs = Math.max(ladderMs, ableSinceMs) + ROLLBACK_GRACE_MS;
    if (nowMs <= dueMs) return;
    throw new Violation(
      `invariant 1: ${truth.trigger.name} has held since ${time(heldSinceMs)}, all has worked since ${time(this.#healthySinceMs)}, and canary still has ${this.#weight} %, the flag ${this.#flag} at ${time(nowMs)}`,
    );
  }

  #firingMs({ trigger }: TriggerTruth): number | undefined {
    const known = this.#status.triggers?.find(({ name }) => name === trigger.name);
    return known?.firingAt === undefined ? undefined : Date.parse(known.firingAt);
  }

  #statusWritten(object: KubeObject, moment: Moment): void {
    const status = (object['status'] ?? {}) as RolloutStatus;
    const before = this.#status;
    const passed = (one: RolloutStatus) =>
      (one.plan ?? []).flatMap((point) => (point.passedAt === undefined ? [] : [point.name]));
    refuse('once', this.people.answered(status));
    refuse('once', this.#once.statusWritten(before, status));
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
    const isEntered = status.step !== undefined && status.step !== before.step;
    if (moment.offMs !== 0) this.#noteWrongClock(moment.nowMs);
    if (isEntered && status.rollback === undefined) {
      refuse('invariant 2', this.#gates.forbidsEntering(status, moment));
    }
    if (before.rollback === undefined && status.rollback !== undefined) {
      this.rollbacks += 1;
      this.#expectTrueCause(status, moment.nowMs);
    }
    const isNewWindow = (status.extensions?.length ?? 0) !== (before.extensions?.length ?? 0);
    // Criteria look at canary from when it has had traffic by plan.
    const isFirstTraffic = hasTraffic(status) && !hasTraffic(before);
    const isNewRun = status.runId !== before.runId;
    this.#heldOver.statusWritten(status);
    if (isNewRun) {
      this.#heldOver.forget();
      this.#held.begin(moment.nowMs);
    }
    if (isNewRun || isNewWindow || isFirstTraffic) this.#held.forget(moment.nowMs);
    else if (passed(status).length > passed(before).length) this.#passedPoint(status, moment.nowMs);
    if (status.rollback !== undefined) this.#rolledBackRun = status.runId;
    this.#status = status;
  }

  /** What a trigger is said to have done, it has done. A wrong clock reads other moments than it says. */
  #expectTrueCause({ rollback, triggers }: RolloutStatus, nowMs: number): void {
    const truth = this.#held.truths.find(({ trigger }) => trigger.name === rollback?.trigger);
    const firingAt = triggers?.find(({ name }) => name === rollback?.trigger)?.firingAt;
    if (truth === undefined || firingAt === undefined || this.#clockWrongUntilMs > nowMs) return;
    const firingAtMs = Date.parse(firingAt);
    const isInvented =
      truth.trigger.name === SEQUENTIAL
        ? wasNeverWorse(this.#truth, this.#log, firingAtMs)
        : falseInHold(truth, firingAtMs);
    if (!isInvented) return;
    throw new Violation(
      `rolled back because of ${rollback?.trigger}, which had not held: ${rollback?.message}`,
    );
  }

  /** A checkpoint or the end has just been passed. */
  #passedPoint(status: RolloutStatus, nowMs: number): void {
    const { plan = [] } = status;
    const point = plan.findLast(({ passedAt }) => passedAt !== undefined);
    const require = this.#gates.requirementsOf(point?.name ?? '');
    const firing = this.#held.truths.find((truth) => {
      const sinceMs = this.#held.of(truth) ?? nowMs;
      // It may have ended within this very second: a reading that is false makes it Inactive at once.
      const isStill = truth.isBad(nowMs) === true;
      return isStill && nowMs > sinceMs + truth.forMs + 3 * INTERVAL_MS;
    });
    if (require.includes('NoFiringTriggers') && firing !== undefined) {
      throw new Violation(
        `invariant 2: ${point?.name} was passed while ${firing.trigger.name} held`,
      );
    }
    const obstacle = require.includes('Preflight') ? this.#memory.chainObstacle() : undefined;
    if (obstacle !== undefined) {
      throw new Violation(`invariant 2: ${point?.name} was passed ${obstacle}`);
    }
    const longestMs = this.#held.longestMs('errors');
    // A violation that lasted this long at evaluations, whatever lies between them.
    const isTooLong = hasTraffic(status) && longestMs > CRITERION_FOR_MS + 3 * INTERVAL_MS;
    if (require.includes('SuccessCriteria') && isTooLong) {
      throw new Violation(
        `invariant 2: ${point?.name} was passed, and the criterion was violated for ${longestMs} ms`,
      );
    }
  }

  #routeWritten(object: KubeObject, moment: Moment): void {
    const before = this.#weight;
    this.#weight = canaryWeight(object);
    if (this.#weight !== before) {
      this.#log.changes.push({ atMs: moment.nowMs, weight: this.#weight });
    }
    const mark = object.metadata.annotations?.['genesis.dev/rolled-back'];
    if (mark !== undefined) this.#rolledBackRun = mark;
    if (this.#weight === before) return;
    const isOurs = lastWriter(object) === fieldManager;
    if (isOurs) this.#moved('canary', before, this.#weight, moment);
    else this.#otherWroteMs = moment.nowMs;
    if (this.#weight > 0) this.#heldOver.forget();
    else if (isOurs) this.#heldOver.lowered(this.#status, this.#held.truths, moment.nowMs);
  }

  #flagWritten(object: KubeObject, moment: Moment): void {
    const before = this.#flag ?? 0;
    this.#flag = flagWeight(object);
    if (this.#flag === before) return;
    if (isFlagOurs(object)) this.#moved('the flag', before, this.#flag, moment);
    else this.#otherWroteMs = moment.nowMs;
  }

  /** A rollout that is gone has let go of what its policy wants: nothing is left on canary, unless it gave up after a minute. */
  #expectLetGo({ metadata, ...object }: KubeObject, { nowMs }: Moment): void {
    const { rollback, step } = this.#status;
    const spec = object['spec'] as RolloutSpecInput;
    const isKept = spec.deletionPolicy === 'KeepTraffic' && rollback === undefined;
    const takenMs = nowMs - Date.parse(metadata.deletionTimestamp ?? '');
    const isOfOther = nowMs - this.#otherWroteMs < 5_000 || this.#clockWrongUntilMs > nowMs;
    if (isKept || step === undefined || isOfOther || !(takenMs < 50_000)) return;
    if (this.#weight === 0 && (this.#flag ?? 0) === 0) return;
    throw new Violation(
      `the rollout is gone after ${takenMs} ms; canary has ${this.#weight} %, the flag ${this.#flag}`,
    );
  }

  #moved(what: string, before: number, after: number, moment: Moment): void {
    if (!PLAN_WEIGHTS.includes(after)) {
      throw new Violation(`invariant 3: ${what} was set to ${after} %`);
    }
    if (after > before) this.#raised(`${what} rose from ${before} to ${after} %`, moment);
  }

  #raised(rise: string, moment: Moment): void {
    this.raises += 1;
    const { nowMs } = moment;
    if (this.#rolledBackRun !== undefined && this.#rolledBackRun === this.#status.runId) {
      throw new Violation(`invariant 1: ${rise} in a rolled back run`);
    }
    const forbidden = this.#gates.forbidsRise(this.#status, moment);
    if (forbidden !== undefined) throw new Violation(`invariant 2: ${rise} ${forbidden}`);
    // What has succeeded goes on being asserted, whoever changes it.
    if (this.#status.phase === 'Succeeded') return;
    if (this.#status.pausedBy !== undefined) {
      throw new Violation(`invariant 2: ${rise} while paused`);
    }
    const obstacle = this.#memory.chainObstacle();
    if (obstacle !== undefined) throw new Violation(`invariant 2: ${rise} ${obstacle}`);
    for (const truth of this.#held.truths) this.#expectNotHolding(truth, rise, nowMs);
    const isClockRight = this.#clockWrongUntilMs <= nowMs;
    const held = isClockRight ? this.#heldOver.forbidsRise(this.#held.truths, nowMs) : undefined;
    if (held !== undefined) throw new Violation(`invariant 2: ${rise}, ${held}`);
    // The reading is at most a tick and the time of the writes old.
    const ticks = [0, 1, 2].map((n) => (Math.floor(nowMs / INTERVAL_MS) - n) * INTERVAL_MS);
    const isGood = (atMs: number) =>
      !(isCanaryUnscraped(this.#truth, atMs) || within(this.#truth.breaches, atMs));
    const isKnownGood =
      // What was read at this very moment was read before the rise.
      ticks.some((tick) => isGood(tick) || weightAt(this.#log, Math.min(tick, nowMs - 1)) === 0) ||
      // A clock that is a little ahead asks for a moment to come, and gets the newest sample: this very moment.
      isGood(nowMs) ||
      weightAt(this.#log, nowMs) === 0 ||
      this.#isLateAndMute(nowMs);
    if (!isKnownGood) throw new Violation(`invariant 2: ${rise} without a good reading`);
  }

  /** The flag follows the route late, and what the route brings has not been scraped since it rose: see docs/adr/0014. */
  #isLateAndMute(nowMs: number): boolean {
    const sinceMs = this.#log.changes.at(-1)?.atMs ?? nowMs;
    if (this.#flag !== this.#weight || sinceMs >= nowMs) return false;
    const seconds = Array.from({ length: Math.ceil((nowMs - sinceMs) / 1_000) }, (_, n) => n);
    return seconds.every((n) => isCanaryUnscraped(this.#truth, nowMs - n * 1_000));
  }

  /** What would have been known behind a silence of Prometheus is known some time after its end; what was known before stays so. */
  #knownMs(sinceMs: number, afterMs: number): number {
    const silences = this.#truth.unreachable.toSorted((a, b) => a.fromMs - b.fromMs);
    return silences.reduce(
      (knownMs, { fromMs, toMs }) =>
        fromMs <= knownMs ? Math.max(knownMs, toMs + afterMs) : knownMs,
      sinceMs + afterMs,
    );
  }

  /** A trigger that holds or rolls back at once has held so long that everybody must know. */
  #expectNotHolding(truth: TriggerTruth, rise: string, nowMs: number): void {
    const sinceMs = this.#held.of(truth);
    const isCritical = truth.trigger.severity === 'Critical';
    if (sinceMs === undefined || !(truth.holdsAtOnce || isCritical)) return;
    // It may have ended within this very second.
    if (truth.isBad(nowMs) !== true) return;
    // Pending is enough to keep a Critical one from rising, and so is silence.
    const afterMs = truth.knownAfterMs + 3 * INTERVAL_MS;
    const knownMs = isCritical ? sinceMs + afterMs : this.#knownMs(sinceMs, afterMs);
    if (nowMs <= knownMs) return;
    throw new Violation(
      `invariant 2: ${rise}, and ${truth.trigger.name} has held since ${time(sinceMs)}`,
    );
  }
}

function hasTraffic({ plan = [] }: RolloutStatus): boolean {
  return plan.some(({ weight = 0, passedAt }) => weight > 0 && passedAt !== undefined);
}

function refuse(rule: string, wrong: string | undefined): void {
  if (wrong !== undefined) throw new Violation(`${rule}: ${wrong}`);
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
