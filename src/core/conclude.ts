/** From the verdict of a rule to a whole decision: routes steered, conditions set, events told, the next look planned. */
import { limits } from '#api/limits.ts';
import type { RolloutStatus } from '#api/status.ts';
import { assert } from './assert.ts';
import { dueCheck, nextCheckAtMs } from './chain-watch.ts';
import { conditionsFor } from './conditions.ts';
import type { Action, Decision } from './decision.ts';
import { brief } from './event-note.ts';
import { transitionEvents } from './events.ts';
import {
  finalReportActions,
  nextSnapshotAtMs,
  recordActions,
  snapshotCounts,
  withReports,
} from './evidence.ts';
import { activeFreezes } from './freeze.ts';
import { ladderSuites } from './ladder-suites.ts';
import { routineLook, soonest } from './next-look.ts';
import { decisionMoments, settlements } from './people/ledger.ts';
import { pendingRequest } from './requests.ts';
import { responseMoments } from './respond.ts';
import { responseEvents } from './response-events.ts';
import { type Following, followFlag, isUrgent } from './restarts.ts';
import type { Verdict } from './rules/rule.ts';
import { isSameStatus } from './same-status.ts';
import type { Snapshot } from './snapshot.ts';
import { dueSuites, suiteMoments } from './suites.ts';
import { fromIso, fromIsoOptional } from './time.ts';
import { type Steering, steer } from './traffic.ts';
import type { TriggerOutcome } from './trigger.ts';
import { isWatched, type RunView } from './view.ts';

export interface Conclusion {
  readonly rule: string;
  readonly verdict: Verdict;
  readonly snapshot: Snapshot;
  readonly view: RunView | undefined;
}

export function conclude(input: Conclusion): Decision {
  const { rule, verdict, snapshot, view } = input;
  const steering = steeringOf(verdict, view);
  // The view is of the run before where a new one starts now.
  const kept = view?.runId === verdict.status.runId ? view : undefined;
  const following = followingOf(verdict, view);
  const described = describe(input, steering, following);
  const status = kept === undefined ? described : withReports(described, kept);
  const steered = steering?.actions ?? [];
  const moves = [...steered, ...(following?.actions ?? [])];
  const isFirst = (action: Action) => belongsToRollback(action) || isUrgent(action, status);
  const later = moves.filter((action) => !isFirst(action));
  checkInvariants(snapshot, status, steered);
  const isSame = isSameStatus(snapshot.status, status);
  const transitions = transitionEvents(snapshot.status, status);
  return {
    rule,
    because: verdict.because,
    // A steady state writes nothing: an unchanged status is the very object that was read.
    status: isSame ? snapshot.status : withSnapshots(status, kept),
    first: [...moves.filter(isFirst), ...(verdict.first ?? [])],
    actions: [
      ...later,
      ...(verdict.actions ?? []),
      ...clearing(snapshot, status),
      ...running(status, view),
      ...(kept === undefined
        ? []
        : [...recordActions(kept, status), ...finalReportActions(kept, status)]),
      ...settlements(snapshot, status),
    ],
    events: [
      // A trigger fires before anything follows from it.
      ...transitions.filter(({ reason }) => reason === 'TriggerFired'),
      ...(verdict.events ?? []),
      ...(steering?.events ?? []),
      ...(following?.events ?? []),
      ...transitions.filter(({ reason }) => reason !== 'TriggerFired'),
      ...responseEvents(snapshot.status, status, view?.triggers ?? []),
    ].map(brief),
    ...wake(input, status),
    triggers: view?.triggers ?? [],
    snapshots: kept && snapshotCounts(kept),
  };
}

/** Written along with what changes anyway, never for its own sake: live figures are metrics. */
function withSnapshots(status: RolloutStatus, view: RunView | undefined): RolloutStatus {
  const counts = view && snapshotCounts(view);
  return counts === undefined ? status : { ...status, snapshots: { ...counts } };
}

/** A request that has been answered is taken away, again and again until it is gone. */
function clearing({ object }: Snapshot, status: RolloutStatus): Action[] {
  const { request } = object;
  const isAnswered =
    request !== undefined && pendingRequest(request, status.lastRequestToken) === undefined;
  return isAnswered ? [{ type: 'ClearRequest', request }] : [];
}

/** Suites and checks run for as long as somebody watches: held, paused and in a rollback too. */
function running(status: RolloutStatus, view: RunView | undefined): Action[] {
  const isDeleted = view?.snapshot.object.deletionRequestedAtMs !== undefined;
  if (view === undefined || isDeleted || !isWatched(status)) return [];
  const due = dueSuites(view);
  const isDue = (asked: Action) =>
    asked.type === 'RunSuite' &&
    due.some((one) => one.type === 'RunSuite' && one.suite === asked.suite);
  const suites = [...due, ...ladderSuites(status, view).filter((asked) => !isDue(asked))];
  return [...suites, ...dueCheck(view)];
}

/** A rise, even one that only undoes drift, needs every hold and blocker gone. */
function steeringOf(verdict: Verdict, view: RunView | undefined): Steering | undefined {
  if (view === undefined || verdict.leavesTraffic === true) return undefined;
  const isFree = view.holds.length === 0 && view.riseBlockers.length === 0;
  const mayRise = isFree && verdict.phase !== 'Held' && verdict.phase !== 'Paused';
  return steer(view, verdict.status, mayRise);
}

/** Where routes are left alone the flag is too. */
function followingOf(verdict: Verdict, view: RunView | undefined): Following | undefined {
  if (view === undefined || verdict.leavesTraffic === true) return undefined;
  return followFlag(view, verdict.status);
}

/** Everything in the status that follows from the rest. */
function describe(
  input: Conclusion,
  steering: Steering | undefined,
  following: Following | undefined,
): RolloutStatus {
  const { verdict, snapshot, view } = input;
  const { because, phase } = verdict;
  const base = verdict.status;
  const holds = [...(verdict.holds ?? view?.holds ?? [])];
  const weight = view?.weight;
  const nextStep = base.plan?.find((one) => one.kind === 'Step' && one.passedAt === undefined);
  const { nextStepAt: _, endsAt: __, ...rest } = base;
  const hasEnded = phase === 'RolledBack' || phase === 'Succeeded';
  const isSteady = phase === 'RollingBack' || hasEnded;
  return {
    ...rest,
    observedGeneration: snapshot.object.generation,
    phase,
    message: cut(because.message),
    holds: holds.map((hold) => ({ ...hold, message: cut(hold.message) })),
    ...(rest.triggers === undefined ? {} : { triggers: rest.triggers.map(shortened) }),
    ...(rest.rollback === undefined ? {} : { rollback: shortened(rest.rollback) }),
    ...(rest.history === undefined ? {} : { history: rest.history.map(shortened) }),
    ...(weight === undefined ? {} : { weight }),
    ...(steering === undefined ? {} : { routes: [...steering.routes] }),
    ...(following?.restarts === undefined ? {} : { restarts: [...following.restarts] }),
    ...(nextStep === undefined || isSteady ? {} : { nextStepAt: nextStep.dueAt }),
    ...(base.plan === undefined || isSteady ? {} : { endsAt: base.plan.at(-1)?.dueAt }),
    conditions: conditionsFor(input, holds),
  };
}

function cut(message: string): string {
  return message.slice(0, limits.messageLengthMax);
}

/** The very object where its message is short enough. */
function shortened<T extends { readonly message?: string | undefined }>(entry: T): T {
  const { message } = entry;
  const isShort = message === undefined || message.length <= limits.messageLengthMax;
  return isShort ? entry : { ...entry, message: cut(message) };
}

function belongsToRollback(action: Action): boolean {
  return action.type === 'SetWeight' && action.rollbackOf !== undefined;
}

/** Asserted in production: a broken one stops the decision instead of the traffic. */
function checkInvariants(
  snapshot: Snapshot,
  status: RolloutStatus,
  actions: readonly Action[],
): void {
  const planned = new Set([0, ...(status.plan ?? []).flatMap((point) => point.weight ?? [])]);
  for (const action of actions) {
    if (action.type !== 'SetWeight') continue;
    assert(planned.has(action.weight), `weight ${action.weight} is one that the plan contains`);
    const mayRise = status.rollback === undefined && (status.holds ?? []).length === 0;
    assert(
      action.weight === 0 || mayRise || isLowering(snapshot, action),
      'no rise with a hold or in a rollback',
    );
  }
  const passed = (one: RolloutStatus) =>
    (one.plan ?? []).filter((point) => point.passedAt !== undefined).length;
  const isSameRun = snapshot.status.runId === status.runId;
  assert(
    !isSameRun || passed(status) <= passed(snapshot.status) + 1,
    'a run passes one point at a time',
  );
}

function isLowering(snapshot: Snapshot, action: Extract<Action, { type: 'SetWeight' }>): boolean {
  const route = snapshot.routes.find((one) => one.target === action.target);
  return route?.reading.type === 'read' && action.weight <= route.reading.weight;
}

/** The soonest moment at which looking again can make a difference, and how much later will do. */
function wake(
  { rule, verdict, view }: Conclusion,
  status: RolloutStatus,
): Pick<Decision, 'wakeAtMs' | 'slackMs' | 'nextMomentMs' | 'nextTurnMs'> {
  const now = view?.now ?? Number.NEGATIVE_INFINITY;
  if (verdict.wakeAtMs !== undefined && verdict.wakeAtMs <= now) {
    return { wakeAtMs: verdict.wakeAtMs, slackMs: 0 };
  }
  const own = verdict.wakeAtMs === undefined ? [] : [verdict.wakeAtMs];
  const isRunning = view !== undefined && isWatched(status);
  const ofRun = isRunning ? moments(status, view) : [];
  const people = view === undefined ? [] : decisionMoments(view.snapshot, status);
  const turnMs = soonest([...own, ...ofRun, ...people], now);
  const routineMs = isRunning ? soonest(routineMoments(view), now) : undefined;
  const soonestMs = soonest([turnMs, routineMs], now);
  if (!isRunning) return { wakeAtMs: soonestMs, slackMs: 0 };
  const isCalm = view.triggers.every((one) => one.status.state === 'Inactive');
  const ahead = { now, soonestMs: soonestMs ?? Number.POSITIVE_INFINITY, isCalm };
  return {
    ...routineLook(view.run, ahead),
    ...(waitsForMoments.includes(rule) && view.triggers.every(isSteady)
      ? {
          nextMomentMs: soonestMs ?? Number.POSITIVE_INFINITY,
          nextTurnMs: turnMs ?? Number.POSITIVE_INFINITY,
        }
      : {}),
  };
}

/** Rules that wait for a moment or a change and read no figures of their own meanwhile. */
const waitsForMoments: readonly string[] = ['paused', 'held', 'advance', 'promote'];

/** What it says follows from whether its condition is true, and not from the figure or from how long. */
function isSteady({ trigger, status }: TriggerOutcome): boolean {
  if (trigger.judge.type !== 'Threshold') return false;
  const isTold = trigger.severity === 'Info' && trigger.compareWithStable === undefined;
  const isQuiet = trigger.ladder.every(
    (rung) => rung.action === 'Notify' && rung.when === undefined,
  );
  if (status.state === 'Firing') return isTold && isQuiet && status.falseSince === undefined;
  return status.state === 'Inactive' && status.reason !== 'NotEvaluated';
}

/** What is done by the clock, whatever else happens: it decides nothing. */
function routineMoments(view: RunView): number[] {
  const checkAtMs = nextCheckAtMs(view);
  const checks = checkAtMs === undefined ? [] : [checkAtMs];
  return [nextSnapshotAtMs(view), ...suiteMoments(view), ...checks];
}

/** Every moment at which a run may take a turn, apart from the next evaluation. */
function moments(status: RolloutStatus, view: RunView): number[] {
  const { run, triggers, now } = view;
  const thaws = activeFreezes(run.freezes, now).map((freeze) => freeze.endsAtMs);
  const times = triggers.flatMap((outcome) => {
    const { unknownSince } = outcome.status;
    const looks = outcome.wakeAtMs === undefined ? [] : [outcome.wakeAtMs + run.offsetMs];
    const rungs = responseMoments(outcome, status);
    if (unknownSince === undefined) return [...looks, ...rungs];
    const { noDataForMs } = outcome.trigger;
    return [...looks, ...rungs, fromIso(unknownSince) + noDataForMs + run.offsetMs];
  });
  // An approval that runs out shuts a gate that was open.
  const votes = (status.approvals ?? []).flatMap(
    ({ expiresAt }) => fromIsoOptional(expiresAt) ?? [],
  );
  const next = status.plan?.find((point) => point.passedAt === undefined);
  const moments = [...times, ...thaws, ...votes];
  return next === undefined ? moments : [...moments, fromIso(next.dueAt)];
}
