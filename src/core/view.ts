/**
 * What the rules look at: the snapshot with its triggers evaluated and everything that speaks against
 * going on spelled out. Computed once, so that every rule sees the same world.
 */
import type { Hold, RolloutStatus, TriggerStatus } from '#api/status.ts';
import type { Ask, Question } from './answer.ts';
import { questionKey } from './answer.ts';
import { withBlindness } from './blindness.ts';
import { advanceCanaryDown, CANARY_DOWN } from './builtin-triggers.ts';
import { fillerFor } from './fill.ts';
import { findEndedBlockers, findHolds, findRiseBlockers, standingDrift } from './holds.ts';
import type { ArmContext } from './judge/sequential.ts';
import { withDownTime } from './monitoring-down.ts';
import { withAuthor } from './people/approval.ts';
import { respond } from './respond.ts';
import { unprovedChains } from './rise-proof.ts';
import type { RunSpec } from './run-spec.ts';
import { lastStepPassedMs, resolvePlan } from './schedule.ts';
import type { Snapshot } from './snapshot.ts';
import { answerSuite, suiteOf } from './suite-reading.ts';
import { fromIso, tickAt } from './time.ts';
import { bearsMark, desiredWeight, highestRead, lowestWeight, observedWeight } from './traffic.ts';
import { canaryTraffic, isStepReached, withTrafficEnd } from './traffic-expected.ts';
import { advanceTrigger, type TriggerOutcome } from './trigger.ts';

/** A run in progress, or one that has ended and whose end state is kept. */
export interface RunView {
  readonly snapshot: Snapshot;
  readonly now: number;
  readonly run: RunSpec;
  readonly runId: string;
  readonly startedAtMs: number;
  /** The status as it was, with triggers and blindness brought up to now. */
  readonly status: RolloutStatus;
  readonly triggers: readonly TriggerOutcome[];
  /** Highest share of canary on any route, in percent; undefined while none can be read. */
  readonly weight: number | undefined;
  /** Why the run does not advance, whether or not a point is due. */
  readonly holds: readonly Hold[];
  /** What forbids a rise of weight in addition to the holds. */
  readonly riseBlockers: readonly Hold[];
  readonly ask: Ask;
}

/** Looks answers up, and notes down what is not answered yet. */
export function asker(snapshot: Snapshot): {
  readonly ask: Ask;
  readonly open: ReadonlyMap<string, Question>;
} {
  const open = new Map<string, Question>();
  const ask: Ask = (question) => {
    if (question.type === 'suite' || question.type === 'suiteRange') {
      const state = suiteOf(snapshot, question.suite);
      // What an earlier process has left is on its way: until it is known nothing is judged by it.
      return state === undefined ? undefined : answerSuite(question, state);
    }
    const key = questionKey(question);
    const answer = snapshot.answers.get(key);
    if (answer === undefined) open.set(key, question);
    return answer;
  };
  return { ask, open };
}

/** True while the run's triggers are watched: in every phase before the run has ended. */
export function isWatched(status: RolloutStatus): boolean {
  return status.phase !== 'Succeeded' && status.phase !== 'RolledBack';
}

/** @returns undefined when no run has been started, or its spec is not known */
export function lookAtRun(snapshot: Snapshot, ask: Ask): RunView | undefined {
  const { now } = snapshot;
  // A run whose record is lost goes on under the spec as it stands, rather than unwatched.
  const run =
    snapshot.recorded ?? (snapshot.wanted.type === 'ok' ? snapshot.wanted.run : undefined);
  const { runId, startedAt } = snapshot.status;
  if (run === undefined || runId === undefined || startedAt === undefined) return undefined;
  const startedAtMs = fromIso(startedAt);
  const weight = observedWeight(snapshot.routes);
  const status = withTrafficEnd(snapshot.status, snapshot.routes, {
    highest: weight,
    now,
  });
  const triggers = isWatched(status)
    ? evaluateTriggers({ snapshot, run, status, startedAtMs, weight, ask })
    : [];
  const evaluated: RolloutStatus =
    triggers.length === 0 ? status : { ...status, triggers: triggers.map((one) => one.status) };
  const seen = withBlindness(evaluated, triggers, tickAt(now - run.offsetMs, run.intervalMs));
  const attributed = withAuthor(seen, snapshot);
  const planned = { ...attributed, plan: resolvePlan(run, attributed) };
  const sighted = isWatched(status)
    ? withDownTime({ snapshot, run, status: planned, now })
    : planned;
  const facts = { snapshot, now, run, status: sighted, triggers, weight };
  const holds = isWatched(status) ? findHolds(facts) : [];
  const riseBlockers = isWatched(status)
    ? [...findRiseBlockers(facts), ...unprovedChains(facts, ask)]
    : findEndedBlockers(facts);
  // Of several routes another writer may have lowered one.
  const lowest = lowestWeight(snapshot.routes);
  const standing =
    holds.length + riseBlockers.length > 0 &&
    !bearsMark(snapshot.routes, runId) &&
    wasLowered(status, desiredWeight(run, status), lowest)
      ? [standingDrift({ ...facts, weight: lowest }, riseBlockers)]
      : [];
  return {
    ...facts,
    runId,
    startedAtMs,
    holds: [...holds, ...standing],
    riseBlockers,
    ask,
  };
}

/** The current step had been reached, and now canary has less than the step gives it. */
function wasLowered(
  status: RolloutStatus,
  desired: number | undefined,
  weight: number | undefined,
): boolean {
  const wasReached = isStepReached(status) && status.rollback === undefined;
  return wasReached && weight !== undefined && weight < (desired ?? 0);
}

function wasTakenAway(
  status: RolloutStatus,
  desired: number | undefined,
  weight: number | undefined,
): boolean {
  return weight === 0 && wasLowered(status, desired, weight);
}

interface RunFacts {
  readonly snapshot: Snapshot;
  readonly run: RunSpec;
  /** Of the run until now, with when its canary lost its traffic. */
  readonly status: RolloutStatus;
  readonly startedAtMs: number;
  readonly weight: number | undefined;
  readonly ask: Ask;
}

function evaluateTriggers(facts: RunFacts): TriggerOutcome[] {
  const { snapshot, run, status, startedAtMs, ask } = facts;
  const { now } = snapshot;
  const desired = desiredWeight(run, status);
  const context = {
    horizonMs: now - run.offsetMs,
    intervalMs: run.intervalMs,
    startedAtMs,
    traffic: canaryTraffic(snapshot.routes, status, { highest: facts.weight, desired }),
    isTrafficTakenAway: wasTakenAway(status, desired, highestRead(snapshot.routes)),
    fill: fillerFor(run, 'canary', {
      weight: facts.weight ?? desired ?? 0,
      windowMs: now - startedAtMs,
    }),
    ask,
    arms: armsOf(facts),
  };
  const previous = (name: string) => status.triggers?.find((one) => one.name === name);
  const outcomes = run.triggers.map((trigger) =>
    advanceTrigger(trigger, previous(trigger.name), context),
  );
  const down = advanceCanaryDown(run, previous(CANARY_DOWN), {
    now,
    ready: snapshot.ready.canary,
    carriesTraffic: (facts.weight ?? desired ?? 0) > 0,
  });
  // Its times are ours, the others' are Prometheus'.
  const wakeAtMs = down.wakeAtMs === undefined ? undefined : down.wakeAtMs - run.offsetMs;
  const all = run.canary === undefined ? outcomes : [...outcomes, { ...down, wakeAtMs }];
  if (status.rollback !== undefined) return all.map((one) => asItFired(one, previous));
  const facing = {
    ...context,
    now,
    known: status,
    suiteOf: (name: string) => suiteOf(snapshot, name),
  };
  return all.map((one) => respond(one, previous(one.trigger.name), facing));
}

/** Evidence is gathered anew whenever a step's weight has been read back; at 100 % there is no stable to compare with. */
function armsOf({ snapshot, run, startedAtMs, weight }: RunFacts): ArmContext {
  const { now, status } = snapshot;
  const share = weight ?? desiredWeight(run, status) ?? 0;
  return {
    sinceMs: lastStepPassedMs(status) ?? startedAtMs,
    isStableExpected: share < 100,
    fillStable: fillerFor(run, 'stable', { weight: share, windowMs: now - startedAtMs }),
  };
}

/** In a rollback silence follows from the rollback itself: what has fired stays on record as it fired. */
function asItFired(
  outcome: TriggerOutcome,
  previous: (name: string) => TriggerStatus | undefined,
): TriggerOutcome {
  const before = previous(outcome.trigger.name);
  return before?.state === 'Firing' ? { ...outcome, status: before } : outcome;
}
