/** What the operator's own log says of each run of a suite: one line, with the names of what failed, and of that what is known to be flaky. */
import type { SuiteRun } from '#core/suite-state.ts';
import type { Logger } from '#ports/logger.ts';
import type { SuiteOrder } from '#ports/suite-runner.ts';
import { flakyMatcher } from './flaky.ts';

export function fieldsOfOrder({ rollout, suite, runId }: SuiteOrder): object {
  const { namespace, name } = rollout.metadata;
  return { namespace, name, suite: suite.name, runId };
}

export function logRun(logger: Logger, order: SuiteOrder, run: SuiteRun): void {
  const { outcome, startedAtMs, finishedAtMs } = run;
  const { name, knownFlaky } = order.suite;
  const fields = { ...fieldsOfOrder(order), durationMs: finishedAtMs - startedAtMs };
  if (outcome.type === 'failed') {
    logger.warn(fields, `health suite ${name} could not be run: ${outcome.message}`);
    return;
  }
  const { total, passed, failed, skipped, newFailures, failures } = outcome;
  const isFlaky = flakyMatcher(knownFlaky);
  const flakyFailures = failures.filter(isFlaky);
  const words = [
    `${passed} of ${total} tests passed`,
    failed === 0 ? [] : `${failed} failed`,
    outcome.knownFlaky === 0 ? [] : `${outcome.knownFlaky} of them known to be flaky`,
    skipped === 0 ? [] : `${skipped} skipped`,
  ].flat();
  const counts = { total, passed, failed, skipped, knownFlaky: outcome.knownFlaky, newFailures };
  const named = { failures: failures.filter((one) => !isFlaky(one)), flakyFailures };
  const level = newFailures > 0 ? 'warn' : 'info';
  logger[level]({ ...fields, ...counts, ...named }, `health suite ${name}: ${words.join(', ')}`);
}
