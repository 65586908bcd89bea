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
  /** Whether the world has a history before its start, on which triggers can be tried; it has none if nothing is said. */
  readonly hasHistory?: boolean;
  /** How every route stands before the run. */
  readonly route?: Partial<VirtualRoute>;
}

/** Where a process dies: before the status is written, or before what follows it. */
export type Crash = 'beforeFirst' | 'beforeStatus' | 'beforeActions';

export function resolvedIn<Input>(options: ShellOptions<Input>, input: Input): ResolvedSpec {
  const resolved = options.resolve(input);
  if (resolved.type !== 'ok' || options.hasHistory === true) return resolved;
  return { type: 'ok', run: { ...resolved.run, backtest: undefined } };
}
