/** What `/metrics` serves, judged by Prometheus' own linter. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { systemClock } from '#runtime/clock.ts';
import { toolPath } from '#scripts/testbed/index.ts';
import { createTelemetry } from '#telemetry/metrics.ts';
import { rolloutSeries } from '#telemetry/rollout-catalogue.ts';

interface Verdict {
  readonly code: number | null;
  readonly words: string;
}

test('promtool finds nothing to say about the metrics', async () => {
  const verdict = await check(await metricsText());
  assert.deepEqual(verdict, { code: 0, words: '' });
});

test('promtool does find a counter that is not called one', async () => {
  const { code, words } = await check(`${await metricsText()}# HELP a b\n# TYPE a counter\na 1\n`);
  assert.notEqual(code, 0);
  assert.match(words, /counter metrics should have "_total" suffix/);
});

async function check(text: string): Promise<Verdict> {
  const child = spawn(await toolPath('promtool'), ['check', 'metrics']);
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      words += chunk;
    });
  }
  child.stdin.end(text);
  await once(child, 'close');
  return { code: child.exitCode, words };
}

const suiteRun = {
  startedAtMs: 0,
  finishedAtMs: 1_000,
  outcome: { type: 'done', total: 36, passed: 35, failed: 1, skipped: 0, knownFlaky: 1 },
} as const;

const chainReport = {
  checkedAtMs: 0,
  findings: [{ link: 'metric', verdict: 'fine' }],
  health: {
    prometheus: { state: 'Up' },
    alertmanager: { state: 'Down' },
    grafana: { state: 'NotConfigured' },
  },
} as const;

/** With one rollout that has every series. */
async function metricsText(): Promise<string> {
  const telemetry = createTelemetry({ version: '1.2.3', clock: systemClock });
  const trigger = { name: 'error-rate', severity: 'Critical', condition: { threshold: 0.005 } };
  const status = {
    phase: 'Progressing',
    revision: 'two "lines"\n',
    step: 'half',
    stepEnteredAt: '2026-11-22T11:00:00.000Z',
    weight: 50,
    plan: [{ name: 'half', kind: 'Step', dueAt: '', weight: 50 }],
    nextStepAt: '2026-11-22T12:00:00.000Z',
    holds: [{ reason: 'Paused', by: 'ann', since: '', message: '' }],
    conditions: [
      { type: 'Ready', status: 'False', reason: 'Waiting', message: '', lastTransitionTime: '' },
    ],
  };
  const pods = { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
  telemetry.reconciles.decided(
    { namespace: 'shop', name: 'checkout' },
    {
      now: 0,
      status: {},
      recorded: { rollback: { slaMs: 900_000 } },
      suites: new Map([['health', { runs: [suiteRun] }]]),
      answers: new Map([['i 1 x', { type: 'samples' }]]),
      chain: { type: 'known', report: chainReport },
    },
    {
      status,
      triggers: [
        {
          trigger,
          status: { ...trigger, state: 'Pending', activeAt: status.nextStepAt },
          reading: { type: 'value', value: Number.NaN },
        },
      ],
    },
  );
  telemetry.requests.requested('GET', 'api:6443', 0, 1);
  telemetry.watchOf(pods).failed('gone');
  let text = '';
  for await (const chunk of telemetry.exposition()) text += chunk;
  for (const name of Object.keys(rolloutSeries)) {
    if (!name.startsWith('genesis_snapshots_')) assert.ok(text.includes(`\n${name}{`), name);
  }
  return text;
}
