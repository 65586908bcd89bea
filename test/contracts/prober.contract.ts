/** What every prober does, the real one over HTTP and the one of the engine's harness. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Prober } from '#ports/prober.ts';

export interface ProberWorld {
  readonly prober: Prober;
  readonly url: string;
  /** How the other side answers from now on; `unasked` is a process that cannot ask. */
  set(state: 'up' | 'down' | 'unasked'): void;
  /** How often it was asked. */
  asked(): number;
  close(): Promise<void>;
}

const rollout = { namespace: 'shop', name: 'checkout' };
const { signal } = new AbortController();

export function proberContract(name: string, open: () => Promise<ProberWorld>): void {
  const probe = (world: ProberWorld, atMs: number) =>
    world.prober.answer(
      rollout,
      { type: 'probe', url: world.url, expectStatus: 200, atMs },
      signal,
    );
  const seen = async (world: ProberWorld, startMs: number, endMs: number) => {
    const range = { startMs, endMs, stepMs: 15_000 };
    const question = { type: 'probeRange', url: world.url, expectStatus: 200, ...range } as const;
    const answer = await world.prober.answer(rollout, question, signal);
    assert.ok(answer.type === 'series');
    return (answer.series[0]?.points ?? []).map(({ atMs, value }) => [atMs, value]);
  };
  const value = async (world: ProberWorld, atMs: number) => {
    const answer = await probe(world, atMs);
    return answer.type === 'samples' ? answer.samples[0]?.value : undefined;
  };

  describe(`prober: ${name}`, () => {
    const rows = [
      ['up is 1', 'up', 1],
      ['down is 0', 'down', 0],
      ['a process that cannot ask has no reading', 'unasked', undefined],
    ] as const;
    for (const [what, state, is] of rows) {
      test(what, async () => {
        const world = await open();
        world.set(state);
        assert.equal(await value(world, 15_000), is);
        await world.close();
      });
    }

    test('one instant is asked once, and what was seen stands', async () => {
      const world = await open();
      world.set('up');
      await probe(world, 15_000);
      world.set('down');
      assert.equal(await value(world, 15_000), 1);
      assert.equal(world.asked(), 1);
      await world.close();
    });

    test('the range is what was seen, and nothing else', async () => {
      const world = await open();
      for (const [state, atMs] of [
        ['up', 15_000],
        ['up', 30_000],
        ['unasked', 45_000],
        ['down', 60_000],
        ['down', 75_000],
      ] as const) {
        world.set(state);
        await probe(world, atMs);
      }
      assert.deepEqual(await seen(world, 0, 90_000), [
        [15_000, 1],
        [30_000, 1],
        [60_000, 0],
        [75_000, 0],
      ]);
      await world.close();
    });

    test('what is forgotten was not seen', async () => {
      const world = await open();
      world.set('up');
      await probe(world, 15_000);
      world.prober.forget(rollout);
      assert.deepEqual(await seen(world, 0, 30_000), []);
      await world.close();
    });
  });
}
