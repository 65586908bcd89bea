/** The dashboard of a rollout, and the ConfigMap in which Grafana's sidecar finds it. */
import type { RunSpec } from '#core/run-spec.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { type Annotation, type Dashboard, dashboardJson } from './grafana.ts';
import { type ManifestOptions, manifest, manifestName } from './manifest.ts';
import { ownSeries } from './measure-query.ts';
import {
  monitoringRow,
  rollbackRow,
  rolloutRow,
  suitesRow,
  triggersRow,
} from './rollout-panels.ts';

export function rolloutDashboard(run: RunSpec): Dashboard {
  const { namespace, rollout } = run.placeholders;
  return {
    uid: dashboardUid(namespace, rollout),
    title: `Rollout ${namespace}/${rollout}`,
    description: 'Made by Genesis Rollout from the rollout itself, and kept in step with it.',
    tags: ['genesis', 'rollout', namespace],
    shows: '6h',
    annotations: annotations(run),
    rows: [
      rolloutRow(run),
      triggersRow(run),
      ...suitesRow(run),
      rollbackRow(run),
      monitoringRow(run),
    ],
  };
}

export function dashboardConfigMap(run: RunSpec, { labels }: ManifestOptions): KubeObject {
  const { namespace, rollout } = run.placeholders;
  return manifest(
    run,
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: manifestName('dashboard', rollout),
      purpose: 'dashboard',
      labels: { ...labels, grafana_dashboard: '1' },
    },
    // The sidecar puts the files of all namespaces into one folder.
    {
      data: {
        [`genesis-${namespace}-${rollout}.json`]: JSON.stringify(
          dashboardJson(rolloutDashboard(run)),
        ),
      },
    },
  );
}

function annotations(run: RunSpec): readonly Annotation[] {
  const entered = ownSeries(run, 'genesis_rollout_step_entered_timestamp_seconds', {});
  return [
    {
      name: 'Steps',
      color: 'blue',
      expr: `max by (step) (${entered}) * 1000`,
      title: 'step {{step}}',
      isTimeTheValue: true,
    },
    {
      name: 'Rollback',
      color: 'red',
      expr: `max by (phase) (${ownSeries(run, 'genesis_rollout_phase', { phase: 'RollingBack' })})`,
      title: 'rolling back',
    },
    {
      name: 'Triggers',
      color: 'orange',
      expr: `max by (trigger) (${ownSeries(run, 'genesis_trigger_state', { state: 'Firing' })})`,
      title: '{{trigger}} fires',
    },
  ];
}

/** What Grafana takes at most. */
const UID_MAX = 40;

/** Readable where it fits; else as much of it as fits and a hash of the whole. */
export function dashboardUid(namespace: string, rollout: string): string {
  const whole = `genesis-${namespace}-${rollout}`;
  if (whole.length <= UID_MAX) return whole;
  const hash = [0x811c9dc5, 0x01000193].map((seed) => fnv1a(seed, whole)).join('');
  return `${whole.slice(0, UID_MAX - hash.length - 1)}-${hash}`;
}

function fnv1a(seed: number, text: string): string {
  let hash = seed;
  for (const letter of text) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}
