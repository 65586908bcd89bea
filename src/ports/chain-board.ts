/** The newest check of each rollout's metric chain. Checks run beside the looks: nothing here waits or throws. */
import type { ChainState } from '#core/chain.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { KubeObject, ObjectKey } from './cluster.ts';

export interface ChainOrder {
  readonly rollout: KubeObject;
  readonly run: RunSpec;
  /** The generation of the spec that `run` comes from. */
  readonly generation: number;
  /** Canary share in percent, as read back. */
  readonly weight: number;
  /** A decision waits for it: it goes before those that are only due. */
  readonly isPressing: boolean;
}

export interface ChainBoard {
  /** What is known now. */
  stateOf(rollout: ObjectKey): ChainState;
  /** A check is due: begins one unless one is under way, and looks at the rollout again when it ends. */
  check(order: ChainOrder): void;
  /** The rollout is gone. */
  forget(rollout: ObjectKey): void;
}
