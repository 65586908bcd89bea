/** The Lease object: read without trusting it, written as other components write theirs. */
import type { KubeObject, ObjectKey } from '#ports/cluster.ts';
import { isRecord } from './resource.ts';

export class LeaseRecord {
  readonly object: KubeObject;
  readonly resourceVersion: string | undefined;
  /** '' when nobody holds it. */
  readonly holder: string;
  readonly durationMs: number | undefined;
  readonly transitions: number;
  readonly acquireTime: unknown;

  constructor(object: KubeObject) {
    const spec = isRecord(object['spec']) ? object['spec'] : {};
    const { holderIdentity, leaseDurationSeconds, leaseTransitions, acquireTime } = spec;
    this.object = object;
    this.resourceVersion = object.metadata.resourceVersion;
    this.holder = typeof holderIdentity === 'string' ? holderIdentity : '';
    this.durationMs =
      typeof leaseDurationSeconds === 'number' ? leaseDurationSeconds * 1000 : undefined;
    this.transitions = typeof leaseTransitions === 'number' ? leaseTransitions : 0;
    this.acquireTime = acquireTime;
  }
}

export interface NewLease {
  /** What it replaces: its labels and unknown fields stay, and its resourceVersion guards the write. */
  readonly previous: LeaseRecord | undefined;
  readonly key: ObjectKey;
  /** '' gives it back. */
  readonly identity: string;
  readonly durationMs: number;
  readonly nowMs: number;
}

export function leaseObject({ previous, key, identity, durationMs, nowMs }: NewLease): KubeObject {
  const isSame = previous?.holder === identity;
  const base = previous?.object ?? {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { ...key },
  };
  const spec = isRecord(base['spec']) ? base['spec'] : {};
  return {
    ...base,
    spec: {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(durationMs / 1000),
      acquireTime:
        isSame && previous.acquireTime !== undefined ? previous.acquireTime : microTime(nowMs),
      renewTime: microTime(nowMs),
      leaseTransitions: transitions(previous, isSame || identity === ''),
    },
  };
}

function transitions(previous: LeaseRecord | undefined, isKept: boolean): number {
  if (previous === undefined) return 0;
  return isKept ? previous.transitions : previous.transitions + 1;
}

/** MicroTime has six digits after the point; the API server refuses three. */
export function microTime(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '000Z');
}
