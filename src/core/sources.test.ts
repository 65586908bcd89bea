/** Triggers by every kind of source, in a whole run: since when, until when, and what follows. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorsTrigger, HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

describe('a trigger by alerts', () => {
  const trigger = {
    name: 'alerts',
    severity: 'Critical',
    alerts: { matchers: ['severity="critical"', 'namespace="$(namespace)"'] },
    condition: '> 0',
    for: '10m',
  } as const;
  const query =
    'count(ALERTS{alertstate="firing",severity="critical",namespace="shop"}) or vector(0)';
  const firesFrom = T0 + HOUR + 7 * SECOND;
  const run = () =>
    new EngineHarness({
      spec: { triggers: [errorsTrigger, trigger] },
      world: { series: (text, atMs) => (text === query && atMs >= firesFrom ? 2 : 0) },
    });

  test('rolls back once they have fired for their time, to the second', () => {
    const world = run();
    world.runUntil(T0 + 2 * HOUR);
    // Seen at the first evaluation after it.
    const activeAt = T0 + HOUR + 15 * SECOND;
    assert.equal(
      world.trigger('alerts')?.activeAt,
      new Date(activeAt).toISOString().replace('.000', ''),
    );
    assert.equal(world.status.rollback?.startedAt, '2026-11-22T13:10:15Z');
    assert.match(
      world.trigger('alerts')?.message ?? '',
      /^alerts 2 > 0 for 10m0s since 13:00:15 \(query count\(ALERTS/,
    );
  });

  test('fires at the same instant after a restart, since alerts have a history', () => {
    const world = run();
    world.runUntil(firesFrom - MINUTE);
    world.sleepUntil(firesFrom + 5 * MINUTE);
    world.runFor(6 * MINUTE);
    assert.equal(world.trigger('alerts')?.firingAt, '2026-11-22T13:10:15Z');
  });
});
