/** What a virtual world is made of: one rollout, and how its routes stand before the run. */
import type { ResolvedSpec } from '#core/snapshot.ts';
import type { VirtualRoute } from './virtual-route.ts';

export interface ShellOptions<Input> {
  readonly namespace: string;
  readonly name: string;
  readonly input: Input;
  readonly resolve: (input: Input) => ResolvedSpec;
  /** The Service whose share the routes' weights are, whatever a later spec calls canary. */
  readonly canaryService: string | undefined;
  readonly startAtMs: number;
  /** How every route stands before the run. */
  readonly route?: Partial<VirtualRoute>;
}

/** Where a process dies: before the status is written, or before what follows it. */
export type Crash = 'beforeFirst' | 'beforeStatus' | 'beforeActions';
