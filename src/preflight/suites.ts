/** Health suites: whether the newest run of each came to a result. What the result says is a matter of triggers. */
import type { RunSuite } from '#core/run-spec.ts';
import type { SuiteState } from '#core/suite-state.ts';
import { clockText } from '#core/time.ts';
import { advice, cannotTell, type Draft, fine } from './finding.ts';

/** Two runs in a row that could not be carried out hold the run by themselves; one is worth a look. */
export function checkSuite(
  { name, runner }: RunSuite,
  suites: ReadonlyMap<string, SuiteState> | undefined,
): Draft {
  const place = { link: 'suite', subject: name } as const;
  if (suites === undefined) {
    return cannotTell(
      place,
      'only the operator runs it: whether it works cannot be told from here',
    );
  }
  const newest = suites.get(name)?.runs.at(-1);
  if (newest === undefined) return cannotTell(place, 'no run of it has ended yet');
  const { finishedAtMs, outcome } = newest;
  const at = clockText(finishedAtMs);
  if (outcome.type === 'done') {
    return fine(
      place,
      `its run of ${at} came to a result: ${outcome.passed} of ${outcome.total} passed`,
    );
  }
  return advice(place, {
    cause: 'suiteFailing',
    message: `its run of ${at} could not be carried out: ${outcome.message}`,
    mend:
      runner.type === 'http'
        ? `See that ${runner.url} answers with a result in time.`
        : 'See the Job of that run, its events and the log of its pod.',
  });
}
