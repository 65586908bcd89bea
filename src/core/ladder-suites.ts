/**
 * Suites that ladders have asked for and that have not started since. Said again at every look until the run is
 * seen, so that a process which dies between the status and the run loses nothing.
 */
import type { RolloutStatus, TriggerResponse } from '#api/status.ts';
import type { Action } from './decision.ts';
import { rungText } from './ladder.ts';
import { suiteOf } from './suite-reading.ts';
import { runSuite } from './suites.ts';
import { fromIso } from './time.ts';
import type { RunView } from './view.ts';

/** @param status the one that is written down: only what stands there has been asked for */
export function ladderSuites(status: RolloutStatus, view: RunView): Action[] {
  if (status.rollback !== undefined) return [];
  return (status.triggers ?? []).flatMap(({ name, state, responses = [] }) =>
    state === 'Firing' ? responses.flatMap((response) => askedFor(name, response, view)) : [],
  );
}

function askedFor(trigger: string, response: TriggerResponse, view: RunView): Action[] {
  if (response.action !== 'RunSuite') return [];
  const ladder = view.run.triggers.find(({ name }) => name === trigger)?.ladder ?? [];
  const suite = ladder.find((rung) => rungText(rung) === response.rung)?.suite;
  const state = suite === undefined ? undefined : suiteOf(view.snapshot, suite);
  if (suite === undefined || state === undefined || state.runningSinceMs !== undefined) return [];
  const atMs = fromIso(response.at);
  const hasRun = state.runs.some(({ startedAtMs }) => startedAtMs >= atMs);
  return hasRun ? [] : runSuite(view, suite, atMs, `the ladder of ${trigger} asks for it`);
}
