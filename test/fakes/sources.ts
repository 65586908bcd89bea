/** A shell in which nobody is probed and no suite is run. */
import type { Prober } from '#ports/prober.ts';
import type { SuiteBoard } from '#ports/suite-runner.ts';

export const noProber: Prober = {
  answer: () => Promise.resolve({ type: 'error', fault: 'partial', message: 'nobody is probed' }),
  forget: () => undefined,
};

export const noSuites: SuiteBoard = {
  states: () => new Map(),
  start: () => 'dropped',
  forget: () => undefined,
};
