/** How the health suites of a scenario go: every test passes, unless the scenario says otherwise from some time on. */
import { parseDuration } from '#api/duration.ts';
import type { RolloutSpec } from '#api/rollout.ts';
import { momentMs } from './moment.ts';
import type { SuiteInput } from './scenario.ts';
import type { VirtualSuiteRun } from './virtual-suites.ts';

const TOOK_DEFAULT_MS = 30_000;
const TESTS_DEFAULT = 20;

export function suiteProblems(suites: readonly SuiteInput[], spec: RolloutSpec): readonly string[] {
  const known = spec.healthSuites.map((suite) => suite.name);
  return suites.flatMap(({ suite }, index) => {
    if (known.includes(suite)) return [];
    const allowed = known.length === 0 ? 'there is none' : `there are ${known.join(', ')}`;
    return [`suites[${index}].suite: ${JSON.stringify(suite)} is not a health suite; ${allowed}`];
  });
}

/** How a run goes that starts now: by the newest entry that has begun. */
export function suiteRunAt(
  name: string,
  nowMs: number,
  scenario: {
    readonly suites: readonly SuiteInput[];
    readonly spec: RolloutSpec;
    readonly startMs: number;
  },
): VirtualSuiteRun {
  const said = scenario.suites.find((one) => one.suite === name);
  const tookMs = said === undefined ? TOOK_DEFAULT_MS : parseDuration(said.takes);
  const result = said?.results.findLast(({ at }) => momentMs(at, scenario.startMs) <= nowMs);
  if (result?.error !== undefined) {
    return { tookMs, outcome: { type: 'failed', message: result.error } };
  }
  const { total = TESTS_DEFAULT, skipped = 0, failures = [] } = result ?? {};
  const patterns = scenario.spec.healthSuites.find((one) => one.name === name)?.knownFlaky ?? [];
  const flaky = failures.filter((test) => patterns.some((one) => new RegExp(one).test(test)));
  const failed = failures.length;
  return {
    tookMs,
    outcome: {
      type: 'done',
      total,
      skipped,
      failed,
      passed: total - skipped - failed,
      knownFlaky: flaky.length,
      newFailures: failed - flaky.length,
      failures,
    },
  };
}
