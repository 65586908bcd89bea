/**
 * What follows from a firing trigger at this look: rungs of its ladder, and a page when nobody has answered. All of
 * it is written into the trigger's status entry, so that holds, events and the rollback follow from the status.
 */
import type { RolloutStatus, TriggerStatus } from '#api/status.ts';
import { dueRungs, rungMoments, rungText, withResponses } from './ladder.ts';
import { overdueSince } from './overdue.ts';
import type { RungCondition } from './run-spec.ts';
import { compareWithStable } from './shared-incident.ts';
import { type SuiteOf, suiteFinding } from './suite-findings.ts';
import { fromIsoOptional, toIso } from './time.ts';
import { type Trend, trendOf } from './trend.ts';
import type { TriggerContext, TriggerOutcome } from './trigger.ts';

export interface ResponseContext extends TriggerContext {
  /** Wall-clock time, in ms. */
  readonly now: number;
  /** The status as it was read: what people have decided stands there. */
  readonly known: RolloutStatus;
  readonly suiteOf: SuiteOf;
}

/** @returns the very outcome where nothing follows from it now */
export function respond(
  fresh: TriggerOutcome,
  previous: TriggerStatus | undefined,
  context: ResponseContext,
): TriggerOutcome {
  if (fresh.status.state !== 'Firing') return fresh;
  // Until stable has answered nothing follows: it may be the service and not the canary.
  const compared = compareWithStable(fresh, previous, context);
  const outcome = compared ?? fresh;
  const find = finder(outcome, context);
  // The trend is asked in the same round as stable.
  const due = dueRungs(outcome, context.now, (when) => find(when) !== undefined);
  if (compared === undefined) return fresh;
  const status = withOverdue(withResponses(outcome.status, due), outcome, context);
  if (status === outcome.status) return outcome;
  const findings = due.flatMap(({ rung }) => {
    const finding = rung.when === undefined ? undefined : find(rung.when);
    return finding === undefined ? [] : [[rungText(rung), finding] as const];
  });
  return { ...outcome, status, findings: new Map(findings) };
}

type Finder = (when: RungCondition) => string | undefined;

/** What proves that a rung's `when` is so, as a sentence; undefined when it is not so, or not known. */
function finder({ trigger, status }: TriggerOutcome, context: ResponseContext): Finder {
  const { now, suiteOf } = context;
  const firingAtMs = fromIsoOptional(status.firingAt) ?? now;
  let trend: Trend | undefined;
  return (when) => {
    if (when === 'NewFailures' || when === 'KnownFlakyOnly') {
      return suiteFinding(when, trigger, { firingAtMs, now, suiteOf });
    }
    trend ??= trendOf(trigger, context);
    return trend?.type === 'known' && trend.direction === when ? trend.message : undefined;
  };
}

function withOverdue(
  status: TriggerStatus,
  outcome: TriggerOutcome,
  context: ResponseContext,
): TriggerStatus {
  const atMs = overdueSince(outcome, context.known);
  const isDue = atMs !== undefined && context.now >= atMs;
  return isDue ? { ...status, overdueAt: toIso(atMs) } : status;
}

/** Every moment at which something may follow from a firing trigger, apart from the evaluations. */
export function responseMoments(outcome: TriggerOutcome, known: RolloutStatus): number[] {
  const overdueMs = overdueSince(outcome, known);
  const sharedMs = fromIsoOptional(outcome.status.sharedUntil);
  return [
    ...rungMoments(outcome),
    ...(overdueMs === undefined ? [] : [overdueMs]),
    ...(sharedMs === undefined ? [] : [sharedMs]),
  ];
}
