/**
 * Response ladders: which responses of a firing trigger are due, and which have been carried out.
 *
 * - `after` counts from `firingAt`, or from the end of a hold for an incident that stable shares. Each rung is carried out once per firing; the trigger's entry in the status
 *   remembers it, so that a restart in the middle repeats nothing. A new firing begins with a new entry.
 * - Of several due at the same moment the most protective has the last word: Rollback leaves out Hold, RunSuite
 *   and Continue, which are pointless in it; Hold comes after Continue. Whoever was to be told is told.
 * - A process that comes back late carries out what it has missed in the order of the moments, so that a hold
 *   and the Continue after it end as they would have ended.
 * - A rung with `when` whose condition is not so at its moment, or not known, waits: it is asked again at every
 *   evaluation for as long as the trigger fires. A Continue does not end that: it takes back this trigger's
 *   hold, and a later Rollback when Worsening still rolls back.
 * - `keepFiringFor` keeps the trigger firing, so it keeps the ladder going too.
 */
import { formatDuration } from '#api/duration.ts';
import type { TriggerResponse, TriggerStatus } from '#api/status.ts';
import type { ResponseAction, Rung, RungCondition } from './run-spec.ts';
import { fromIsoOptional, toIso } from './time.ts';
import type { TriggerOutcome } from './trigger.ts';

/** Of the same moment: the most protective first, after a Continue that Hold then has the last word over. */
const orderOfMoment: readonly ResponseAction[] = [
  'Continue',
  'Rollback',
  'Hold',
  'RunSuite',
  'Notify',
];

export interface DueRung {
  readonly rung: Rung;
  /** When it was due; for a rung with `when`, when its condition was seen to be so. */
  readonly atMs: number;
}

/** From when on `after` counts; undefined while the trigger does not fire. */
export function ladderStartMs({ status }: TriggerOutcome): number | undefined {
  if (status.state !== 'Firing') return undefined;
  return fromIsoOptional(status.sharedUntil) ?? fromIsoOptional(status.firingAt);
}

/** Rungs that are due now and have not been carried out, in the order in which they are. */
export function dueRungs(
  outcome: TriggerOutcome,
  now: number,
  isSo: (when: RungCondition) => boolean,
): readonly DueRung[] {
  const startMs = ladderStartMs(outcome);
  if (startMs === undefined) return [];
  const due = openRungs(outcome).flatMap((rung): DueRung[] => {
    const momentMs = startMs + rung.afterMs;
    // A clock that steps back undoes nothing: what follows at once from a firing has followed.
    const isAtOnce = rung.afterMs === 0 && outcome.status.sharedUntil === undefined;
    if (now < momentMs && !isAtOnce) return [];
    if (rung.when === undefined) return [{ rung, atMs: momentMs }];
    return isSo(rung.when) ? [{ rung, atMs: Math.max(now, momentMs) }] : [];
  });
  const isRollback = due.some(({ rung }) => rung.action === 'Rollback');
  const wanted = isRollback ? due.filter(({ rung }) => isPartOfRollback(rung)) : due;
  return wanted.toSorted((a, b) => a.atMs - b.atMs || rank(a) - rank(b));
}

function isPartOfRollback({ action }: Rung): boolean {
  return action === 'Rollback' || action === 'Notify';
}

function rank({ rung }: DueRung): number {
  return orderOfMoment.indexOf(rung.action);
}

function openRungs({ trigger, status }: TriggerOutcome): readonly Rung[] {
  const done = new Set(status.responses?.map(({ rung }) => rung));
  return done.size === 0
    ? trigger.ladder
    : trigger.ladder.filter((rung) => !done.has(rungText(rung)));
}

/** When each rung that is still open is due at the soonest. */
export function rungMoments(outcome: TriggerOutcome): number[] {
  const startMs = ladderStartMs(outcome);
  return startMs === undefined ? [] : openRungs(outcome).map((rung) => startMs + rung.afterMs);
}

/** A firing trigger that may still do something: it must not be looked at late. */
export function hasRungsAhead(outcome: TriggerOutcome): boolean {
  return ladderStartMs(outcome) !== undefined && openRungs(outcome).length > 0;
}

/** The entry with these rungs carried out. */
export function withResponses(status: TriggerStatus, due: readonly DueRung[]): TriggerStatus {
  if (due.length === 0) return status;
  const responses = due.map(
    ({ rung, atMs }): TriggerResponse => ({
      action: rung.action,
      rung: rungText(rung),
      at: toIso(atMs),
    }),
  );
  return { ...status, responses: [...(status.responses ?? []), ...responses] };
}

/** Whether the trigger's own hold stands: its ladder said Hold, and not Continue since. */
export function holdsByLadder({ state, responses = [] }: TriggerStatus): boolean {
  return state === 'Firing' && isHeldAfter(responses);
}

export function isHeldAfter(responses: readonly TriggerResponse[]): boolean {
  const last = responses.findLast(({ action }) => action === 'Hold' || action === 'Continue');
  return last?.action === 'Hold';
}

/** The rollback that the ladder asks for, once it has. */
export function rollbackByLadder({
  state,
  responses = [],
}: TriggerStatus): TriggerResponse | undefined {
  return state === 'Firing' ? responses.find(({ action }) => action === 'Rollback') : undefined;
}

/** One rung in words, as `Rollback when Worsening after 30m`: its name in the status, whatever stands around it. */
export function rungText({ action, suite, when, afterMs }: Rung): string {
  const words = [
    action,
    ...(suite === undefined ? [] : [suite]),
    ...(when === undefined ? [] : [`when ${when}`]),
    ...(afterMs === 0 ? [] : [`after ${formatDuration(afterMs)}`]),
  ];
  return words.join(' ');
}
