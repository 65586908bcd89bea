/** What is logged of a run of a suite. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, silentLogger } from '#ports/logger.ts';
import type { SuiteOrder, SuiteOutcome } from '#ports/suite-runner.ts';
import { logRun } from './run-log.ts';
import { readOutcome } from './suite-report.ts';

const order: SuiteOrder = {
  rollout: {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name: 'checkout', namespace: 'shop' },
  },
  suite: {
    name: 'smoke',
    intervalMs: 60_000,
    timeoutMs: 60_000,
    runner: { type: 'http', url: 'http://checkout/run' },
    knownFlaky: ['^flaky_'],
  },
  runId: 'run-1',
  dueAtMs: 0,
};
const common = { namespace: 'shop', name: 'checkout', suite: 'smoke', runId: 'run-1' };

function logged(outcome: SuiteOutcome): readonly unknown[] {
  const lines: unknown[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push(level, fields, message);
  const logger: Logger = { ...silentLogger, info: at('info'), warn: at('warn') };
  logRun(logger, order, { startedAtMs: 1_000, finishedAtMs: 3_500, outcome });
  return lines;
}

test('that all tests passed', () => {
  assert.deepEqual(logged(readOutcome('{"passed":36}', [])), [
    'info',
    {
      ...common,
      durationMs: 2_500,
      total: 36,
      passed: 36,
      failed: 0,
      skipped: 0,
      knownFlaky: 0,
      newFailures: 0,
      failures: [],
      flakyFailures: [],
    },
    'health suite smoke: 36 of 36 tests passed',
  ]);
});

test('which tests failed, with those apart that are known to be flaky, by whichever of their names', () => {
  const junit = `<testsuite><testcase name="flaky_a" classname="x.Y"><failure/></testcase>
    <testcase name="b" classname="x.Y"><error/></testcase><testcase name="c"><skipped/></testcase></testsuite>`;
  const [level, fields, message] = logged(readOutcome(junit, order.suite.knownFlaky));
  assert.equal(level, 'warn');
  const { failures, flakyFailures } = fields as Record<string, unknown>;
  assert.deepEqual([failures, flakyFailures], [['x.Y.b'], ['flaky_a']]);
  assert.equal(
    message,
    'health suite smoke: 0 of 3 tests passed, 2 failed, 1 of them known to be flaky, 1 skipped',
  );
});

test('that nothing but known flaky tests failed, as no warning', () => {
  const [level] = logged(readOutcome('{"total":2,"failures":["flaky_a"]}', order.suite.knownFlaky));
  assert.equal(level, 'info');
});

test('why it could not be run', () => {
  assert.deepEqual(logged({ type: 'failed', message: 'no result within its timeout of 60 s' }), [
    'warn',
    { ...common, durationMs: 2_500 },
    'health suite smoke could not be run: no result within its timeout of 60 s',
  ]);
});
