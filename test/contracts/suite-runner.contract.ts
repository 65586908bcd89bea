/** What every runner of health suites does, whatever carries the suite out. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RunSuite } from '#core/run-spec.ts';
import type { SuiteOutcome, SuiteRunner } from '#ports/suite-runner.ts';

export type SuiteBehaviour =
  | { readonly type: 'answers'; readonly text: string }
  /** It ends without a result. */
  | { readonly type: 'crashes' }
  | { readonly type: 'hangs' };

export interface SuiteRunnerWorld {
  readonly runner: SuiteRunner;
  readonly how: RunSuite['runner'];
  readonly namespace: string;
  behave(as: SuiteBehaviour): void;
  close(): Promise<void>;
}

export function suiteRunnerContract(name: string, open: () => Promise<SuiteRunnerWorld>): void {
  let dueAtMs = Date.UTC(2026, 10, 22, 12);
  const run = async (world: SuiteRunnerWorld, as: SuiteBehaviour, signal: AbortSignal) => {
    world.behave(as);
    dueAtMs += 60_000;
    const suite: RunSuite = {
      name: 'health',
      intervalMs: 60_000,
      timeoutMs: 20_000,
      runner: world.how,
      knownFlaky: ['^flaky'],
    };
    const metadata = { name: 'checkout', namespace: world.namespace, uid: 'u-1' };
    const rollout = { apiVersion: 'genesis.dev/v1alpha1', kind: 'GenesisRollout', metadata };
    return world.runner.run({ rollout, suite, runId: 'run-1', dueAtMs }, signal);
  };
  const withWorld = (work: (world: SuiteRunnerWorld) => Promise<void>) => async () => {
    const world = await open();
    try {
      await work(world);
    } finally {
      await world.close();
    }
  };
  const failed = (outcome: SuiteOutcome) => outcome.type === 'failed' && outcome.message !== '';
  const soon = () => AbortSignal.timeout(30_000);

  describe(`suite runner: ${name}`, () => {
    test(
      'a result is counted, with what is known to be flaky apart',
      withWorld(async (world) => {
        const text = '{"total":5,"passed":2,"failed":2,"skipped":1,"failures":["flaky_a","b"]}';
        assert.deepEqual(await run(world, { type: 'answers', text }, soon()), {
          type: 'done',
          total: 5,
          passed: 2,
          failed: 2,
          skipped: 1,
          knownFlaky: 1,
          newFailures: 1,
          failures: ['flaky_a', 'b'],
        });
      }),
    );

    test(
      'a result as JUnit XML is counted alike',
      withWorld(async (world) => {
        const text =
          '<testsuite><testcase name="a"/><testcase name="flaky_a"><failure/></testcase></testsuite>';
        const outcome = await run(world, { type: 'answers', text }, soon());
        assert.ok(outcome.type === 'done', JSON.stringify(outcome));
        const { total, passed, knownFlaky, newFailures, failures } = outcome;
        assert.deepEqual([total, passed, knownFlaky, newFailures], [2, 1, 1, 0]);
        assert.deepEqual(failures, ['flaky_a']);
      }),
    );

    test(
      'an answer that makes no sense could not be carried out',
      withWorld(async (world) => {
        assert.ok(failed(await run(world, { type: 'answers', text: 'fine, thanks' }, soon())));
      }),
    );

    test(
      'a crash could not be carried out',
      withWorld(async (world) => {
        assert.ok(failed(await run(world, { type: 'crashes' }, soon())));
      }),
    );

    test(
      'what is called off ends at once',
      withWorld(async (world) => {
        const controller = new AbortController();
        const running = run(world, { type: 'hangs' }, controller.signal).catch(() => 'called off');
        setTimeout(() => controller.abort(new Error('called off')), 100);
        const outcome = await running;
        assert.ok(outcome === 'called off' || failed(outcome as SuiteOutcome));
      }),
    );
  });
}
