/** The PrometheusRule of a rollout: every trigger as an alert. */
import { formatDuration } from '#api/duration.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { type ManifestOptions, manifest, manifestName } from './manifest.ts';
import { triggerAlerts } from './trigger-alerts.ts';

export function prometheusRule(run: RunSpec, { labels, runbookUrl }: ManifestOptions): KubeObject {
  const { rollout, namespace } = run.placeholders;
  const group = {
    // Unique among all files of a Prometheus, so that its own metrics about rules tell them apart.
    name: `genesis-rollout/${namespace}/${rollout}`,
    interval: formatDuration(run.intervalMs),
    ...(run.offsetMs === 0 ? {} : { query_offset: formatDuration(run.offsetMs) }),
    rules: triggerAlerts(run, runbookUrl),
  };
  return manifest(
    run,
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      name: manifestName('prometheusrule', rollout),
      purpose: 'alerts',
      labels,
    },
    { spec: { groups: [group] } },
  );
}
