/** Rollouts in every situation that a page has to explain, made by the engine itself in virtual time. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '#ports/cluster.ts';
import { readScenario } from '#simulate/read-scenario.ts';
import { simulate } from '#simulate/simulate.ts';

export interface PageWorld {
  readonly object: KubeObject;
  readonly nowMs: number;
}

const START = '2026-11-02T08:00:00Z';
const HOUR_MS = 3_600_000;
const folder = join(import.meta.dirname, '../scenarios/rollouts');

/** @param scenario what the scenario says beside its start and its rollout */
function world(elapsedHours: number, scenario: string): PageWorld {
  const text = `rolloutFile: checkout.yaml\nstart: ${START}\n${scenario}`;
  const readBeside = (path: string) =>
    readFileSync(join(folder, path.split('/').at(-1) ?? ''), 'utf8');
  const read = readScenario({ file: 'page.yaml', text, readBeside });
  if (read.type === 'invalid') throw new Error(read.problems.join('; '));
  const nowMs = read.scenario.startMs + Math.round(elapsedHours * HOUR_MS);
  const simulation = simulate({ ...read.scenario, endMs: nowMs });
  if (simulation.type === 'invalid') throw new Error(simulation.problems.join('; '));
  const { namespace, name, specInput } = read.scenario;
  return { object: objectOf(name, namespace, specInput, simulation.status), nowMs };
}

function objectOf(name: string, namespace: string, spec: object, status: unknown): KubeObject {
  return {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name, namespace, generation: 1, creationTimestamp: START },
    spec,
    ...(status === undefined ? {} : { status }),
  };
}

const gated = `rolloutPatch:
  spec:
    schedule:
      steps:
      - {name: dark, at: 0h, weight: 0}
      - {name: half, at: 6h, weight: 50}
      - {name: full, at: 30h, weight: 100, approval: {quorum: 2, expiresAfter: 12h}}
      end: 48h
`;
const bare = { revision: 'v2', traffic: { routes: [{ kind: 'HTTPRoute', name: 'web' }] } };

/** By the name of the golden file. */
export const pageWorlds: Readonly<Record<string, () => PageWorld>> = {
  moving: () => world(7, ''),
  pending: () => world(8 + 2 / 60, `series:\n- {metric: error-rate, values: "0x1920 0.02x400"}\n`),
  held: () => world(8.5, `series:\n- {metric: latency, values: "0.1x1920 0.35x1000"}\n`),
  'rolling-back': () =>
    world(
      8 + 5.75 / 60,
      `series:\n- {metric: error-rate, values: "0x1920 0.02x400"}\nrolloutPatch: {spec: {rollback: {health: {url: "http://old.shop/health"}, baseline: [{name: errors, metric: error-rate, condition: "< 0.1%"}]}}}\n`,
    ),
  'rolled-back': () => world(9, `series:\n- {metric: error-rate, values: "0x1920 0.02x400"}\n`),
  'waiting-for-approval': () =>
    world(
      31,
      `${gated}at:\n- {at: 30h30m, decide: {decision: Approve, by: alice@example.com, step: full, reason: dashboards are clean}}\n`,
    ),
  frozen: () =>
    world(
      7,
      `rolloutPatch: {spec: {schedule: {freeze: [{name: fair, cron: "0 13 * * 1", duration: 4h, timeZone: UTC, reason: the autumn fair}]}}}\n`,
    ),
  'before-a-freeze': () =>
    world(
      3,
      `rolloutPatch: {spec: {schedule: {freeze: [{name: fair, cron: "0 13 * * 1", duration: 4h, timeZone: UTC, reason: the autumn fair}]}}}\n`,
    ),
  extended: () =>
    world(
      10,
      `at:\n- {at: 8h, decide: {decision: Extend, by: bob@example.com, reason: too little traffic}}\n`,
    ),
  'new-revision-queued': () =>
    world(
      9,
      `rolloutPatch: {spec: {onNewRevision: Queue}}\nat:\n- {at: 8h, patch: {revision: v3}}\n`,
    ),
  paused: () =>
    world(
      5,
      `at:\n- {at: 4h, decide: {decision: Pause, by: bob@example.com, reason: the database moves}}\n`,
    ),
  monitoring: () => world(49, `rolloutPatch: {spec: {success: {thenMonitorFor: 24h}}}\n`),
  succeeded: () => world(50, ''),
  'preflight-failed': () => world(0.1, `at:\n- {at: 0s, prometheus: down, for: 1h}\n`),
  'no-data': () => world(8.1, `at:\n- {at: 8h, prometheus: down, for: 1h}\n`),
  'refused-decision': () =>
    world(7, `at:\n- {at: 6h30m, decide: {decision: Resume, by: alice@example.com}}\n`),
  new: () => ({
    object: objectOf('checkout', 'shop', bare, undefined),
    nowMs: Date.parse(START) + 90_000,
  }),
  broken: () => ({
    object: objectOf(
      'checkout',
      'shop',
      { ...bare, schedule: 7 },
      {
        phase: 'Dancing',
        message: 'one\u001B[2Jtwo',
        revision: 2,
        weight: 'much',
        plan: [{ name: 'half', kind: 'Step', dueAt: 'tomorrow' }, { name: 7 }, 'full'],
        holds: { reason: 'Frozen' },
        triggers: [{ name: 'errors', severity: 'Critical', state: 'Excited', value: 'a lot' }],
        history: [null],
      },
    ),
    nowMs: Date.parse(START) + HOUR_MS,
  }),
};
