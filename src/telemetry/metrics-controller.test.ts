/** What the controller did, counted: looks, evaluations, rollbacks, promotions and drift. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutStatus } from '#api/status.ts';
import { idle, key, seenTrigger, setUp } from '#test/telemetry/scraped-telemetry.ts';

describe('what the controller did', () => {
  test('an evaluation is counted by the worst state found, and not at all without triggers', async () => {
    const { telemetry, linesOf } = setUp();
    const states = (...names: string[]) =>
      names.map((state) => seenTrigger({ name: state, severity: 'Info', state }));
    for (const triggers of [
      states(),
      states('Inactive'),
      states('Inactive', 'Unknown'),
      states('Unknown', 'Pending'),
      states('Pending', 'Firing', 'Unknown'),
    ]) {
      telemetry.reconciles.decided(key, idle, { status: {}, triggers });
    }
    assert.deepEqual(await linesOf('genesis_evaluations_total'), [
      'genesis_evaluations_total{outcome="Firing"} 1',
      'genesis_evaluations_total{outcome="Pending"} 1',
      'genesis_evaluations_total{outcome="Unknown"} 1',
      'genesis_evaluations_total{outcome="Inactive"} 1',
    ]);
  });

  test('looks by result, as controller-runtime counts them', async () => {
    const { telemetry, linesOf } = setUp();
    telemetry.reconciles.reconciled('success', 20, 10);
    telemetry.reconciles.reconciled('conflict', 20, undefined);
    telemetry.reconciles.reconciled('deferred', 20, 0);
    telemetry.reconciles.reconciled('error', 20, undefined);
    const name = 'controller_runtime_reconcile_total{controller="genesisrollout",result=';
    assert.deepEqual(await linesOf('controller_runtime_reconcile_total'), [
      `${name}"success"} 1`,
      `${name}"requeue"} 1`,
      `${name}"requeue_after"} 1`,
      `${name}"error"} 1`,
    ]);
    assert.deepEqual(await linesOf('genesis_evaluation_duration_seconds_sum'), [
      'genesis_evaluation_duration_seconds_sum 0.01',
    ]);
  });

  test('rollbacks, their times, promotions and drift', async () => {
    const { telemetry, linesOf } = setUp();
    const startedAt = '2026-11-22T12:00:00.000Z';
    const rollback = {
      trigger: 't',
      reason: 'TriggerFiring',
      message: '',
      startedAt,
      slaDeadline: startedAt,
      stages: [],
    };
    const route = { kind: 'HTTPRoute', name: 'shop' };
    const triggers = [{ name: 't', severity: 'Critical', state: 'Firing', firingAt: startedAt }];
    const begun: RolloutStatus = { rollback, routes: [{ ...route, weight: 50 }], triggers };
    const stopped: RolloutStatus = { ...begun, routes: [{ ...route, weight: 0, drift: 3 }] };
    const now = Date.parse(startedAt) + 400;
    const told = { triggers: [] };
    telemetry.reconciles.decided(key, { now, status: {} }, { status: begun, ...told });
    telemetry.reconciles.decided(key, { now, status: begun }, { status: stopped, ...told });
    telemetry.reconciles.decided(key, idle, { status: { phase: 'Succeeded' }, ...told });
    for (const line of [
      'genesis_rollbacks_total{reason="TriggerFiring"} 1',
      'genesis_rollback_seconds_sum{since="decision"} 0.4',
      'genesis_rollback_seconds_sum{since="firing"} 0.4',
      'genesis_promotions_total 1',
      'genesis_traffic_drift_total 3',
    ]) {
      assert.ok((await linesOf(line.split(/[{ ]/)[0] ?? '')).includes(line), line);
    }
  });
});
