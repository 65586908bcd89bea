/** What a stage of a rollback is: it looks at the world and says how far it is. Budgets and order are not its matter. */
import type { RollbackStageName } from '#api/rollback.ts';
import type { RollbackStage } from '#api/status.ts';
import type { Action } from '#core/decision.ts';
import type { RunRollback } from '#core/run-spec.ts';
import type { RunView } from '#core/view.ts';

export type StageLook =
  /** Nothing is configured for it. */
  | { readonly type: 'skipped'; readonly message: string }
  | { readonly type: 'succeeded'; readonly message: string }
  /** Trying again would not help. */
  | { readonly type: 'failed'; readonly message: string }
  /** To be looked at again, until the budget is over. */
  | { readonly type: 'waiting'; readonly message: string; readonly wakeAtMs: number };

export interface StageProgress {
  readonly look: StageLook;
  /** Done after the status has been written, each time anew: absolute and idempotent. */
  readonly actions?: readonly Action[];
}

export interface Stage {
  readonly name: Exclude<RollbackStageName, 'StopTraffic'>;
  readonly budgetMs: (rollback: RunRollback) => number;
  /** @param entry when it has begun */
  readonly look: (view: RunView, entry: RollbackStage) => StageProgress;
}

/** Several looks at one stage: what fails or waits comes first, and what is skipped says nothing. */
export function together(looks: readonly StageLook[]): StageLook {
  const configured = looks.filter(({ type }) => type !== 'skipped');
  const [only] = configured;
  if (only === undefined) return looks[0] ?? { type: 'skipped', message: 'nothing is configured' };
  if (configured.length === 1) return only;
  const waiting = configured.flatMap((look) => (look.type === 'waiting' ? [look] : []));
  const failed = configured.filter(({ type }) => type === 'failed');
  const decisive = [...waiting, ...failed];
  const told = decisive.length > 0 ? decisive : configured;
  const message = told.map((look) => look.message).join('; ');
  if (waiting.length > 0) {
    return { type: 'waiting', message, wakeAtMs: Math.min(...waiting.map((one) => one.wakeAtMs)) };
  }
  return { type: failed.length > 0 ? 'failed' : 'succeeded', message };
}
