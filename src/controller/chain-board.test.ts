/** The board of checks: one at a time for each rollout, a few side by side, each with a deadline. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChainReport } from '#core/chain.ts';
import type { ObjectKey } from '#ports/cluster.ts';
import { silentLogger } from '#ports/logger.ts';
import { runSpec, SECOND } from '#test/builders.ts';
import { VirtualClock } from '#test/kube/virtual-clock.ts';
import { createChainBoard } from './chain-board.ts';

const run = runSpec();

function setUp() {
  const clock = new VirtualClock();
  const stopping = new AbortController();
  const begun: { name: string; end: (error?: Error) => Promise<void>; signal: AbortSignal }[] = [];
  const looks: string[] = [];
  const board = createChainBoard({
    clock,
    logger: silentLogger,
    stopping: stopping.signal,
    onChange: ({ name }) => looks.push(name),
    check: ({ rollout, generation }, signal) => {
      const checkedAtMs = clock.now();
      return new Promise<ChainReport>((resolve, reject) => {
        const health = { state: 'Up' } as const;
        const end = async (error?: Error) => {
          const all = { prometheus: health, alertmanager: health, grafana: health };
          if (error === undefined) {
            resolve({ checkedAtMs, generation, findings: [], health: all });
          } else {
            reject(error);
          }
          await clock.advance(0);
        };
        begun.push({ name: rollout.metadata.name, end, signal });
      });
    },
  });
  const ask = (name: string, isPressing = false, generation = 1) => {
    const metadata = { namespace: 'shop', name };
    const rollout = { apiVersion: 'genesis.dev/v1alpha1', kind: 'GenesisRollout', metadata };
    board.check({ rollout, run, generation, weight: 0, isPressing });
  };
  const names = () => begun.map(({ name }) => name);
  return { clock, stopping, board, begun, looks, ask, names };
}

const keyOf = (name: string): ObjectKey => ({ namespace: 'shop', name });

describe('the board of checks', () => {
  test('knows nothing of a rollout since it was first asked, and then the newest report and the one before', async () => {
    const { board, clock, begun, ask, looks } = setUp();
    const sinceMs = clock.now();
    assert.deepEqual(board.stateOf(keyOf('a')), { type: 'unknown', sinceMs });
    await clock.advance(7 * SECOND);
    ask('a');
    const checkingSinceMs = clock.now();
    assert.deepEqual(board.stateOf(keyOf('a')), { type: 'unknown', sinceMs, checkingSinceMs });
    await begun[0]?.end();
    assert.deepEqual(looks, ['a']);
    ask('a', false, 2);
    await begun[1]?.end();
    const state = board.stateOf(keyOf('a'));
    assert.equal(state.type === 'known' && state.report.generation, 2);
    assert.equal(state.type === 'known' && state.previous?.generation, 1);
    assert.equal(state.checkingSinceMs, undefined);
  });

  test('begins one check of a rollout at a time', () => {
    const { ask, names } = setUp();
    ask('a');
    ask('a', true);
    assert.deepEqual(names(), ['a']);
  });

  test('runs sixteen side by side, and those that are waited for go first', async () => {
    const { ask, begun, names } = setUp();
    for (let n = 0; n < 18; n += 1) ask(`r${n}`);
    ask('pressing', true);
    assert.equal(names().length, 16);
    await begun[0]?.end();
    await begun[1]?.end();
    assert.deepEqual(names().slice(16), ['pressing', 'r16']);
  });

  test('gives one up after a minute, and says so', async () => {
    const { ask, begun, board, clock, looks } = setUp();
    ask('a');
    await clock.advance(60 * SECOND);
    assert.equal(begun[0]?.signal.aborted, true);
    assert.deepEqual(board.stateOf(keyOf('a')), {
      type: 'unknown',
      sinceMs: clock.now(),
      failure: 'no answer within 60 s',
    });
    assert.deepEqual(looks, ['a']);
  });

  test('takes a check that throws for one that has found nothing', async () => {
    const { ask, begun, board } = setUp();
    ask('a');
    await begun[0]?.end(new Error('a defect'));
    const state = board.stateOf(keyOf('a'));
    assert.equal(state.type === 'unknown' && state.failure, 'a defect');
  });

  test('forgets a rollout that is gone, and looks at it no more', async () => {
    const { ask, begun, board, looks } = setUp();
    ask('a');
    board.forget(keyOf('a'));
    await begun[0]?.end();
    assert.deepEqual(looks, []);
    assert.equal(board.stateOf(keyOf('a')).type, 'unknown');
  });

  test('ends its checks with the process, and begins none', async () => {
    const { ask, begun, clock, looks, names, stopping } = setUp();
    ask('a');
    stopping.abort(new Error('the operator is being stopped'));
    await clock.advance(0);
    assert.equal(begun[0]?.signal.aborted, true);
    ask('b');
    assert.deepEqual(names(), ['a']);
    assert.deepEqual(looks, []);
  });
});
