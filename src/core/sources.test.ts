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
    'count(ALERTS{alertstate="firing",severity="critical",namespace="shop",genesis_trigger=""}) or vector(0)';
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

describe('a trigger by probe', () => {
  const url = 'http://canary/health';
  const trigger = {
    name: 'down',
    severity: 'Critical',
    probe: { url },
    condition: '== 0',
    for: '2m',
  } as const;
  const downFrom = T0 + HOUR + 7 * SECOND;
  const run = (isUp: (atMs: number) => boolean | undefined) =>
    new EngineHarness({
      spec: { triggers: [trigger] },
      world: { probe: (asked, nowMs) => (asked === url ? isUp(nowMs) : undefined) },
    });

  test('rolls back once it has been down for its time, from the first evaluation that saw it', () => {
    const world = run((atMs) => atMs < downFrom);
    world.runUntil(T0 + 2 * HOUR);
    assert.equal(world.trigger('down')?.activeAt, '2026-11-22T13:00:15Z');
    assert.equal(world.status.rollback?.startedAt, '2026-11-22T13:02:15Z');
    assert.match(
      world.trigger('down')?.message ?? '',
      /^down 0 == 0 for 2m0s since 13:00:15 \(probe http:\/\/canary\/health\)$/,
    );
    assert.equal(world.weight(), 0);
  });

  test('is back for one evaluation and begins anew', () => {
    const backAt = T0 + HOUR + MINUTE + 15 * SECOND;
    const world = run((atMs) => atMs < downFrom || atMs === backAt);
    world.runUntil(T0 + 2 * HOUR);
    assert.equal(world.trigger('down')?.firingAt, '2026-11-22T13:03:30Z');
  });

  test('what a restarted process has not seen was not held', () => {
    const world = run((atMs) => atMs < downFrom);
    world.runUntil(T0 + HOUR + MINUTE);
    assert.equal(world.trigger('down')?.state, 'Pending');
    world.restart();
    world.runUntil(T0 + 2 * HOUR);
    assert.equal(world.trigger('down')?.firingAt, '2026-11-22T13:03:00Z');
  });

  test('of a process that could not ask has no reading, and holds after noDataFor', () => {
    const world = run((atMs) => (atMs < downFrom ? true : undefined));
    world.runUntil(T0 + HOUR + 3 * MINUTE);
    assert.equal(world.trigger('down')?.state, 'Unknown');
    assert.equal(world.status.phase, 'Held');
    assert.equal(world.status.rollback, undefined);
  });

  test('of a process that could not ask breaches where noData says so', () => {
    const world = new EngineHarness({
      spec: { triggers: [{ ...trigger, noData: 'Breach', noDataFor: '1m' }] },
      world: { probe: (_url, nowMs) => (nowMs < downFrom ? true : undefined) },
    });
    world.runUntil(T0 + 2 * HOUR);
    // A minute without a reading from 13:00:15 on, then its time.
    assert.equal(world.trigger('down')?.firingAt, '2026-11-22T13:03:15Z');
  });

  test('goes on firing for keepFiringFor after it is up again', () => {
    const upAgain = T0 + HOUR + 4 * MINUTE;
    const world = new EngineHarness({
      spec: {
        triggers: [{ ...trigger, severity: 'Warning', keepFiringFor: '3m' }],
      },
      world: { probe: (_url, nowMs) => nowMs < downFrom || nowMs >= upAgain },
    });
    world.runUntil(upAgain + 3 * MINUTE - SECOND);
    assert.equal(world.trigger('down')?.state, 'Firing');
    world.runUntil(upAgain + 3 * MINUTE);
    assert.equal(world.trigger('down')?.state, 'Inactive');
  });

  test('is asked once an evaluation, however often somebody looks', () => {
    const asked: number[] = [];
    const world = run((atMs) => {
      asked.push(atMs);
      return true;
    });
    world.runUntil(T0 + HOUR / 2);
    const before = asked.length;
    world.sleepUntil(T0 + HOUR / 2 + SECOND);
    world.runFor(0);
    world.sleepUntil(T0 + HOUR / 2 + 2 * SECOND);
    world.runFor(0);
    assert.equal(asked.length, before);
  });
});
