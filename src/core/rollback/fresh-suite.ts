/** A health suite in a rollback: only a run that began in it counts, and one that is not good is tried again. */
import type { Action } from '#core/decision.ts';
import { suiteOf } from '#core/suite-reading.ts';
import type { SuiteResult, SuiteRun } from '#core/suite-state.ts';
import type { RunView } from '#core/view.ts';
import type { StageProgress } from './stage.ts';

const LOOK_EVERY_MS = 2_000;
/** A suite that has just failed is not run again at once. */
const PAUSE_MS = 10_000;

/** What is wanted of a suite's result: a sentence of what was seen, and whether that will do. */
export type Appraisal = (result: SuiteResult) => {
  readonly isGood: boolean;
  readonly message: string;
};

/**
 * @param sinceMs runs that began before this moment say nothing
 */
export function lookAtSuite(
  view: RunView,
  name: string,
  sinceMs: number,
  appraise: Appraisal,
): StageProgress {
  const { now, snapshot } = view;
  const state = suiteOf(snapshot, name);
  const newest = state?.runs.findLast((run) => run.startedAtMs >= sinceMs);
  const seen = newest === undefined ? undefined : seenOf(name, newest, appraise);
  if (seen?.isGood === true) return { look: { type: 'succeeded', message: seen.message } };
  const dueAtMs = newest === undefined ? sinceMs : newest.finishedAtMs + PAUSE_MS;
  const message = seen?.message ?? `suite ${name} is being run`;
  return {
    look: { type: 'waiting', message, wakeAtMs: now + LOOK_EVERY_MS },
    actions: now >= dueAtMs && state?.runningSinceMs === undefined ? run(view, name, dueAtMs) : [],
  };
}

function seenOf(name: string, { outcome }: SuiteRun, appraise: Appraisal): ReturnType<Appraisal> {
  if (outcome.type === 'done') return appraise(outcome);
  return { isGood: false, message: `suite ${name} could not be run: ${outcome.message}` };
}

function run({ run: { suites }, runId }: RunView, name: string, dueAtMs: number): Action[] {
  const suite = suites.find((one) => one.name === name);
  if (suite === undefined) return [];
  return [{ type: 'RunSuite', suite, runId, dueAtMs, reason: 'a rollback needs it' }];
}
