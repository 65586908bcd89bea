/**
 * The ServiceMonitor of a rollout. It selects Services by labels, which we do not know, so it looks at all of the namespace and
 * keeps the two that the rollout names.
 */
import { formatDuration } from '#api/duration.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { type ManifestOptions, manifest, manifestName } from './manifest.ts';

/** @returns none where it is not asked for, or there are no Services to scrape */
export function serviceMonitors(run: RunSpec, { labels }: ManifestOptions): readonly KubeObject[] {
  const { serviceMonitor: asked, stable, canary } = run;
  if (asked === undefined || stable === undefined || canary === undefined) return [];
  const { rollout } = run.placeholders;
  const names = [...new Set([stable.service, canary.service])].map(verbatim).join('|');
  const endpoint = {
    port: asked.port,
    path: asked.path,
    scheme: asked.scheme,
    interval: formatDuration(asked.intervalMs),
    relabelings: [
      { action: 'keep', sourceLabels: ['__meta_kubernetes_service_name'], regex: names },
      // What queries ask by; the Prometheus Operator sets it too, unless it is told another label.
      {
        action: 'replace',
        sourceLabels: ['__meta_kubernetes_service_name'],
        targetLabel: 'service',
      },
    ],
  };
  const object = manifest(
    run,
    {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'ServiceMonitor',
      name: manifestName('servicemonitor', rollout),
      purpose: 'metrics',
      labels,
    },
    { spec: { selector: {}, endpoints: [endpoint] } },
  );
  return [object];
}

/** As a regular expression that matches nothing else. */
function verbatim(name: string): string {
  return name.replaceAll('.', '[.]');
}
