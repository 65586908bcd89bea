/** The operator's own alerts before promtool: each fires when its condition has held for its time, and has its page. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parseDuration } from '#api/duration.ts';
import { operatorAlerts, operatorGroups } from '#scripts/gen/mixin/alerts.ts';
import { toolPath } from '#scripts/testbed/index.ts';
import { lintRules, testRules } from '#test/promtool.ts';

const of = 'namespace="shop",rollout="checkout"';
const process = 'job="genesis",instance="a"';
const rollingBack = { [`genesis_rollout_phase{${of},phase="RollingBack"}`]: '1x400' };
const looks = 'genesis_reconcile_duration_seconds_count';

interface Row {
  readonly series: Readonly<Record<string, string>>;
  /** Since when the condition is true, with a sample every 15 s from 0 on. */
  readonly activeAtSeconds: number;
}

const rows: Readonly<Record<string, Row>> = {
  GenesisDown: { series: {}, activeAtSeconds: 0 },
  GenesisNoLeader: {
    series: {
      [`leader_election_master_status{${process},name="genesis-rollout"}`]: '0x400',
      [`leader_election_master_status{job="other",instance="b",name="other"}`]: '1x400',
      [`genesis_build_info{${process},version="1"}`]: '1x400',
    },
    activeAtSeconds: 0,
  },
  GenesisReconcileErrors: {
    series: { [`${looks}{result="error"}`]: '0+1x400', [`${looks}{result="success"}`]: '0+8x400' },
    activeAtSeconds: 15,
  },
  GenesisRollbackStuck: {
    series: { ...rollingBack, [`genesis_rollout_weight_ratio{${of}}`]: '0.5x400' },
    activeAtSeconds: 0,
  },
  GenesisRollbackLate: {
    series: {
      ...rollingBack,
      [`genesis_rollback_elapsed_seconds{${of}}`]: '0+15x400',
      [`genesis_rollback_sla_seconds{${of}}`]: '900x400',
    },
    activeAtSeconds: 915,
  },
  GenesisRolledBack: {
    series: { [`genesis_rollout_phase{${of},phase="RolledBack"}`]: '_x4 1x400' },
    activeAtSeconds: 60,
  },
  GenesisRolloutStalled: {
    series: { [`genesis_rollout_condition{${of},condition="Stalled",status="True"}`]: '1x400' },
    activeAtSeconds: 0,
  },
  GenesisRolloutOverdue: {
    series: { [`genesis_rollout_next_step_seconds{${of}}`]: '-3570-15x400' },
    activeAtSeconds: 45,
  },
  GenesisMetricSourceBroken: {
    series: {
      [`genesis_rollout_condition{${of},condition="MetricsAvailable",status="False"}`]: '1x400',
    },
    activeAtSeconds: 0,
  },
  GenesisMonitoringDown: {
    series: { [`genesis_monitoring_up{${of},system="prometheus"}`]: '0x400' },
    activeAtSeconds: 0,
  },
  GenesisTrafficDrift: {
    series: { 'genesis_traffic_drift_total{}': '0x9 1x400' },
    activeAtSeconds: 150,
  },
  GenesisSnapshotsMissing: {
    series: { [`genesis_snapshots_missing{${of}}`]: '1x400' },
    activeAtSeconds: 0,
  },
};

const healthy: Readonly<Record<string, string>> = {
  [`leader_election_master_status{${process},name="genesis-rollout"}`]: '1x400',
  [`genesis_build_info{${process},version="1"}`]: '1x400',
  [`${looks}{result="error"}`]: '0x400',
  [`${looks}{result="success"}`]: '0+8x400',
  [`genesis_rollout_phase{${of},phase="Progressing"}`]: '1x400',
  [`genesis_rollout_weight_ratio{${of}}`]: '0.5x400',
  [`genesis_rollout_next_step_seconds{${of}}`]: '9000-15x400',
  [`genesis_rollout_condition{${of},condition="MetricsAvailable",status="True"}`]: '1x400',
  [`genesis_rollback_elapsed_seconds{${of}}`]: '0x400',
  [`genesis_rollback_sla_seconds{${of}}`]: '900x400',
  [`genesis_monitoring_up{${of},system="prometheus"}`]: '1x400',
  [`genesis_snapshots_missing{${of}}`]: '0x400',
  'genesis_traffic_drift_total{}': '3x400',
};

before(async () => {
  await toolPath('promtool');
});

test('promtool accepts the rules, with every lint on', async () => {
  assert.equal(await lintRules(operatorGroups), '');
});

describe('an alert of the operator', () => {
  test('fires when its condition has held for its time, and not in a healthy world', async () => {
    const cases = operatorAlerts.flatMap(({ alert, for: held = '0s' }) => {
      const row = rows[alert];
      assert.ok(row !== undefined, alert);
      const firesAtSeconds = row.activeAtSeconds + parseDuration(held) / 1000;
      return [
        { alert: `alertname="${alert}"`, series: row.series, firesAtSeconds },
        { alert: `alertname="${alert}"`, series: healthy, firesAtSeconds: undefined },
      ];
    });
    assert.equal(await testRules(operatorGroups, cases), '');
  });

  for (const { alert } of operatorAlerts) {
    test(`${alert} has a runbook`, () => {
      const page = join(import.meta.dirname, '../../docs/runbooks', `${alert.toLowerCase()}.md`);
      assert.ok(existsSync(page), page);
    });
  }

  test('GenesisRolledBack is over after an hour', async () => {
    const row = rows['GenesisRolledBack'];
    const over = {
      alert: 'alertname="GenesisRolledBack"',
      series: row?.series ?? {},
      firesAtSeconds: row?.activeAtSeconds,
      isOverAtSeconds: (row?.activeAtSeconds ?? 0) + 3_600 + 30,
    };
    assert.equal(await testRules(operatorGroups, [over]), '');
  });
});
