/**
 * Rollouts kept in Git under a real Argo CD with self-heal, configured as deploy/argocd says: Argo CD sees no difference,
 * takes no weight back, and shows what the run is doing.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { run } from '#scripts/testbed/command.ts';
import { gatewayApiCrds, kwokStages, prepareArgocd } from '#scripts/testbed/index.ts';
import type { Observations } from '../argocd/scenes.ts';
import type { Sight } from '../argocd/world.ts';

const withinMs = 600_000;

describe('under Argo CD with self-heal', { timeout: withinMs }, () => {
  let seen: Observations;
  before(
    async () => {
      // Inside the network namespace there is no way out.
      await prepareArgocd();
      await gatewayApiCrds();
      await kwokStages();
      const program = join(import.meta.dirname, 'argocd-cluster.ts');
      const signal = AbortSignal.timeout(withinMs);
      seen = JSON.parse(await run(process.execPath, [program], { signal })) as Observations;
    },
    { timeout: withinMs },
  );

  for (const [how, name] of [
    ['server-side apply, as in deploy/argocd/application.yaml', 'server'],
    ['client-side apply', 'client'],
  ] as const) {
    test(`a run goes from 0 to 100 with ${how}: never OutOfSync, no weight taken back`, () => {
      const { sight, phase, drift, flag, weights, sights } = seen[name];
      assert.equal(phase, 'Succeeded', JSON.stringify(sight));
      assert.deepEqual(weights, [0, 25, 50, 100]);
      assert.equal(drift, 0);
      assert.equal(flag, '100');
      const first = sights.findIndex(({ sync }) => sync === 'Synced');
      assert.notEqual(first, -1);
      assert.deepEqual(
        sights.slice(first).filter(({ sync }) => sync === 'OutOfSync'),
        [],
      );
      // From Progressing to Healthy and never back, with what the operator says.
      assert.deepEqual(courseOf(sights), ['Progressing', 'Healthy']);
      assert.equal(sight?.appHealth, 'Healthy');
      assert.match(sight.message, /^revision v2 succeeded after /);
    });
  }

  test('without ignoreDifferences self-heal does take weights back', () => {
    assert.ok(
      seen.fought.some((weight, index) => weight < (seen.fought[index - 1] ?? 0)),
      JSON.stringify(seen.fought),
    );
  });

  test('a pause in Git is Suspended, and its end Progressing', () => {
    const { atHalf, paused, resumed } = seen.story;
    assert.equal(atHalf?.appHealth, 'Progressing');
    assert.equal(paused?.health, 'Suspended');
    assert.equal(paused.message, 'paused by spec.paused; triggers are still watched');
    assert.equal(resumed?.health, 'Progressing');
    assert.match(resumed.message, /^next is full/);
  });

  test('an edit by hand is undone, so self-heal is awake', () => {
    assert.equal(seen.story.historyLimit, 4);
  });

  test('argocd-server offers what the operator would do, and its promote ends the waiting', () => {
    const { offered, promoteStatus, promoted, asked } = seen.story;
    assert.deepEqual([...offered].sort(), ['abort', 'pause', 'promote']);
    assert.equal(promoteStatus, 200);
    assert.match(promoted?.message ?? '', /^next is end/);
    assert.equal(promoted?.sync, 'Synced');
    assert.deepEqual(
      [asked?.decision, asked?.by, asked?.outcome],
      ['Promote', 'annotation', 'Applied'],
    );
  });

  test("the guide's role may promote, and may not sync", () => {
    assert.deepEqual(seen.rights, { promote: 'Yes', sync: 'No' });
  });

  test('a rollback is Degraded, says why, and is not undone', () => {
    const { rolledBack, weights } = seen.story;
    assert.equal(rolledBack?.health, 'Degraded');
    assert.equal(rolledBack.sync, 'Synced');
    assert.match(rolledBack.message, /^rolled back in \d+s: errors 2 > 1 for 3s/);
    assert.deepEqual(weights, [0, 50, 100, 0]);
  });
});

/** The health of the rollout, each change of it, from when it was first known. */
function courseOf(sights: readonly Sight[]): readonly string[] {
  const known = sights
    .map(({ health }) => health)
    .filter((health) => !['', 'Missing'].includes(health));
  return known.filter((health, index) => health !== known[index - 1]);
}
