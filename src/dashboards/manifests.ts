/** Everything that is made for one rollout so that people can watch it. */
import type { RunSpec } from '#core/run-spec.ts';
import type { KubeObject } from '#ports/cluster.ts';
import type { ManifestKind, ManifestOptions } from './manifest.ts';
import { prometheusRule } from './prometheus-rule.ts';
import { dashboardConfigMap } from './rollout-dashboard.ts';
import { serviceMonitors } from './service-monitor.ts';

export interface Manifest {
  readonly kind: ManifestKind;
  readonly object: KubeObject;
}

export const manifestKinds = [
  'prometheusrule',
  'servicemonitor',
  'dashboard',
] as const satisfies readonly ManifestKind[];

export function manifestsOf(run: RunSpec, options: ManifestOptions): readonly Manifest[] {
  return [
    { kind: 'prometheusrule', object: prometheusRule(run, options) },
    ...serviceMonitors(run, options).map((object) => ({ kind: 'servicemonitor', object }) as const),
    { kind: 'dashboard', object: dashboardConfigMap(run, options) },
  ];
}
