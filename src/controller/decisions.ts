/** GenesisDecisions by the rollout that they are about: those that have no outcome yet. */
import { decisionSpecSchema } from '#api/decision.ts';
import type { DecisionObservation } from '#core/snapshot.ts';
import type { KubeObject, ObjectKey } from '#ports/cluster.ts';
import { rolloutKey } from './keys.ts';

export class DecisionIndex {
  readonly #open = new Map<string, Map<string, DecisionObservation>>();

  /** @returns the key of the rollout that it is about; undefined when it cannot be read */
  set(object: KubeObject): string | undefined {
    const observation = read(object);
    if (observation === undefined) return undefined;
    const key = keyOf(object, observation.spec.rollout);
    const ofRollout = this.#open.get(key) ?? new Map<string, DecisionObservation>();
    if (observation.isSettled) ofRollout.delete(observation.uid);
    else ofRollout.set(observation.uid, observation);
    this.#keep(key, ofRollout);
    return key;
  }

  /** @returns the key of the rollout that it was about */
  remove(object: KubeObject): string | undefined {
    const observation = read(object);
    if (observation === undefined) return undefined;
    const key = keyOf(object, observation.spec.rollout);
    const ofRollout = this.#open.get(key) ?? new Map<string, DecisionObservation>();
    ofRollout.delete(observation.uid);
    this.#keep(key, ofRollout);
    return key;
  }

  openFor(key: ObjectKey): readonly DecisionObservation[] {
    return [...(this.#open.get(rolloutKey(key))?.values() ?? [])];
  }

  #keep(key: string, ofRollout: Map<string, DecisionObservation>): void {
    if (ofRollout.size === 0) this.#open.delete(key);
    else this.#open.set(key, ofRollout);
  }
}

function keyOf({ metadata }: KubeObject, rollout: string): string {
  return rolloutKey({ namespace: metadata.namespace ?? '', name: rollout });
}

/** What an older or newer CRD has let through and this version cannot read is left alone. */
function read({ metadata, ...object }: KubeObject): DecisionObservation | undefined {
  const spec = decisionSpecSchema.safeParse(object['spec']);
  if (!spec.success) return undefined;
  const { name, uid = '', creationTimestamp = '' } = metadata;
  const status = object['status'];
  const outcome: unknown =
    typeof status === 'object' && status !== null ? Reflect.get(status, 'outcome') : undefined;
  return {
    name,
    uid,
    createdAtMs: Date.parse(creationTimestamp) || 0,
    spec: spec.data,
    isSettled: typeof outcome === 'string' && outcome !== '',
  };
}
