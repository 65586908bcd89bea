/** The series of health suites: counters over all runs, and what the newest run with a result has said. */
import type { SeenSuiteResult } from './look.ts';
import { type Family, type Kept, type Sample, sample } from './series-family.ts';
import type { Tally } from './suite-tally.ts';

export const suiteFamilies: readonly Family[] = [
  counter('genesis_tests_total', ({ tests }) => tests),
  counter('genesis_tests_passed_total', ({ passed }) => passed),
  counter('genesis_tests_failed_total', ({ failed }) => failed),
  counter('genesis_tests_skipped_total', ({ skipped }) => skipped),
  counter('genesis_tests_known_flaky_total', ({ knownFlaky }) => knownFlaky),
  {
    name: 'genesis_suite_runs_total',
    samples: ({ tallies }) =>
      [...tallies].flatMap(([suite, { runs, failedRuns }]) => [
        sample(
          [
            ['suite', suite],
            ['outcome', 'done'],
          ],
          runs,
        ),
        sample(
          [
            ['suite', suite],
            ['outcome', 'failed'],
          ],
          failedRuns,
        ),
      ]),
  },
  newest('genesis_test_pass_rate', (suite, { passed, total, skipped }) =>
    total === skipped ? [] : [sample([['suite', suite]], passed / (total - skipped))],
  ),
  newest('genesis_suite_tests', (suite, { passed, failed, skipped, knownFlaky }) =>
    Object.entries({ passed, failed, skipped, known_flaky: knownFlaky }).map(([result, count]) =>
      sample(
        [
          ['suite', suite],
          ['result', result],
        ],
        count,
      ),
    ),
  ),
  newest('genesis_suite_duration_seconds', (suite, _result, { startedAtMs, finishedAtMs }) => [
    sample([['suite', suite]], (finishedAtMs - startedAtMs) / 1000),
  ]),
  newest('genesis_suite_finished_timestamp_seconds', (suite, _result, { finishedAtMs }) => [
    sample([['suite', suite]], finishedAtMs / 1000),
  ]),
];

function counter(name: Family['name'], value: (tally: Tally) => number): Family {
  return {
    name,
    samples: ({ tallies }) =>
      [...tallies].map(([suite, tally]) => sample([['suite', suite]], value(tally))),
  };
}

function newest(
  name: Family['name'],
  samples: (
    suite: string,
    result: SeenSuiteResult,
    times: { readonly startedAtMs: number; readonly finishedAtMs: number },
  ) => readonly Sample[],
): Family {
  return { name, samples: (kept) => newestResults(kept).flatMap((one) => samples(...one)) };
}

function newestResults({ seen }: Kept) {
  return [...(seen.suites ?? [])].flatMap(([suite, { runs }]) => {
    const last = runs.findLast(({ outcome }) => outcome.type === 'done');
    if (last === undefined || last.outcome.type !== 'done') return [];
    return [[suite, last.outcome, last] as const];
  });
}
