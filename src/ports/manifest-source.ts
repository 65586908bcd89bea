/** What is made for a rollout so that people can watch it: alerts, a dashboard, how it is scraped. */
import type { RunSpec } from '#core/run-spec.ts';
import type { KubeObject, Resource } from './cluster.ts';

export interface Wanted {
  readonly resource: Resource;
  readonly name: string;
  /** Undefined: not wanted, so one that was made before is deleted. */
  readonly object: KubeObject | undefined;
}

export interface ManifestSource {
  wanted(run: RunSpec, owner: { readonly name: string; readonly uid: string }): readonly Wanted[];
}
