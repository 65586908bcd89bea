/** The chart's alerts, judged by Prometheus' own tool: their form, and when each fires. */
import { describe, test } from 'node:test';
import { run } from '#scripts/testbed/command.ts';
import { toolPath } from '#scripts/testbed/index.ts';

describe('the alerts of the chart', () => {
  test('are well formed', async () => {
    const file = 'charts/genesis-rollout/files/alerts.yaml';
    await run(await toolPath('promtool'), ['check', 'rules', '--lint=all', '--lint-fatal', file]);
  });

  test('fire when they should, and only then', async () => {
    await run(await toolPath('promtool'), ['test', 'rules', 'test/cluster/alerts.promtool.yaml']);
  });
});
