/** `spec.healthSuites` as a run follows them. */
import { parseDuration } from '#api/duration.ts';
import type { HealthSuite } from '#api/rollout.ts';
import type { RunSuite } from './run-spec.ts';

export function resolveSuites(suites: readonly HealthSuite[]): RunSuite[] {
  return suites.flatMap((suite) => {
    const runner = runnerOf(suite);
    if (runner === undefined) return [];
    const intervalMs = parseDuration(suite.interval);
    const timeoutMs = timeoutOf(suite);
    return [{ name: suite.name, intervalMs, timeoutMs, runner, knownFlaky: suite.knownFlaky }];
  });
}

/** How long a result stays valid when no next one comes: one more run may take its whole time. */
export function validForMs(suite: HealthSuite): number {
  return parseDuration(suite.interval) + timeoutOf(suite);
}

function timeoutOf({ timeout, interval }: HealthSuite): number {
  return parseDuration(timeout ?? interval);
}

function runnerOf({ http, jobTemplate }: HealthSuite): RunSuite['runner'] | undefined {
  if (http !== undefined) return { type: 'http', url: http.url };
  return jobTemplate === undefined ? undefined : { type: 'job', template: jobTemplate };
}
