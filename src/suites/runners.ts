/** The runner for each way in which a suite can be run. */
import type { RunSuite } from '#core/run-spec.ts';
import type { SuiteRunner } from '#ports/suite-runner.ts';
import type { Web } from '#web/web.ts';
import { createHttpSuite } from './http-suite.ts';
import { createJobSuite, type JobSuiteOptions } from './job-suite.ts';

export interface RunnerOptions extends JobSuiteOptions {
  readonly web: Pick<Web, 'ask'>;
}

export function createSuiteRunners(
  options: RunnerOptions,
): Readonly<Record<RunSuite['runner']['type'], SuiteRunner>> {
  return { http: createHttpSuite(options.web), job: createJobSuite(options) };
}
