/** The runner for each way in which a suite can be run. */
import type { SuiteRunner } from '#ports/suite-runner.ts';
import type { Web } from '#web/web.ts';
import { createHttpSuite } from './http-suite.ts';

export interface RunnerOptions {
  readonly web: Pick<Web, 'ask'>;
}

export function createSuiteRunners({ web }: RunnerOptions): {
  readonly http: SuiteRunner;
  readonly job: SuiteRunner;
} {
  return { http: createHttpSuite(web), job: noJobs };
}

const noJobs: SuiteRunner = {
  run: () => Promise.resolve({ type: 'failed', message: 'Jobs are not run' }),
};
