/** What every object that is made for a rollout has in common: its name, labels and owner. */
import { labels, managedByValue } from '#api/names.ts';
import { ownedByRollout } from '#api/owner.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { KubeObject } from '#ports/cluster.ts';

/** Which of the objects; also the word behind `--only`. */
export type ManifestKind = 'prometheusrule' | 'servicemonitor' | 'dashboard';

export interface ManifestOptions {
  /** More labels: what the Prometheus Operator selects by, such as `release: kube-prometheus-stack`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Where the runbooks stand, without a slash at the end. */
  readonly runbookUrl: string;
}

/** Pages of docs/runbooks are served there; a copy inside the company is what most will set. */
export const defaultRunbookUrl = 'https://genesis.dev/runbooks';

export function manifestName(kind: ManifestKind, rollout: string): string {
  return kind === 'dashboard' ? `genesis-${rollout}-dashboard` : `genesis-${rollout}`;
}

/** Made for a rollout, so it has the rollout's name; the kind and the label tell it from others. */
export function manifest(
  run: RunSpec,
  head: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly purpose: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  },
  body: Readonly<Record<string, unknown>>,
): KubeObject {
  const { namespace, rollout } = run.placeholders;
  return {
    apiVersion: head.apiVersion,
    kind: head.kind,
    metadata: {
      name: head.name,
      namespace,
      labels: {
        ...head.labels,
        [labels.managedBy]: managedByValue,
        [labels.purpose]: head.purpose,
        [labels.rollout]: rollout,
      },
      ...(head.annotations === undefined ? {} : { annotations: head.annotations }),
    },
    ...body,
  };
}

/** As the rollout's own: gone when it is gone. */
export function owned(object: KubeObject, owner: { readonly name: string; readonly uid: string }) {
  const metadata = { ...object.metadata, ownerReferences: ownedByRollout(owner) };
  return { ...object, metadata } satisfies KubeObject;
}
