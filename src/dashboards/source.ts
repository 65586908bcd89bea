/** What the operator makes for each rollout, by its settings: every kind that is switched off is one that shall not be there. */
import { configMapResource } from '#api/names.ts';
import type { Resource } from '#ports/cluster.ts';
import type { ManifestSource } from '#ports/manifest-source.ts';
import { type ManifestKind, type ManifestOptions, manifestName, owned } from './manifest.ts';
import { manifestKinds, manifestsOf } from './manifests.ts';

export interface ManifestSettings extends ManifestOptions {
  readonly makes: Readonly<Record<ManifestKind, boolean>>;
}

const monitoring = { group: 'monitoring.coreos.com', version: 'v1', namespaced: true } as const;

const resources: Readonly<Record<ManifestKind, Resource>> = {
  prometheusrule: { ...monitoring, kind: 'PrometheusRule', plural: 'prometheusrules' },
  servicemonitor: { ...monitoring, kind: 'ServiceMonitor', plural: 'servicemonitors' },
  dashboard: configMapResource,
};

export function manifestSource(settings: ManifestSettings): ManifestSource {
  return {
    wanted: (run, owner) => {
      const made = manifestsOf(run, settings).filter(({ kind }) => settings.makes[kind]);
      return manifestKinds.map((kind) => {
        const object = made.find((one) => one.kind === kind)?.object;
        return {
          resource: resources[kind],
          name: manifestName(kind, owner.name),
          object: object === undefined ? undefined : owned(object, owner),
        };
      });
    },
  };
}
