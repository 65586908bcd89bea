/**
 * Stages 2 to 5 in their order: the next begins when one has ended, or when its budget is over. Several that end
 * at one look are written at once, so a rollback with nothing configured is over as soon as traffic is.
 */
import type { RollbackStage, RollbackStatus } from '#api/status.ts';
import type { Action, EventDraft } from '#core/decision.ts';
import { fromIso, spanText, toIso } from '#core/time.ts';
import type { RunView } from '#core/view.ts';
import { advanceHooks, giveUpHooks, hookActions, lookAtHooks } from './hooks.ts';
import { report } from './report.ts';
import { restore } from './restore.ts';
import { stabilize } from './stabilize.ts';
import { type Stage, type StageLook, together } from './stage.ts';
import { verify } from './verify.ts';

const stages: readonly Stage[] = [verify, restore, stabilize, report];

export interface LaterStages {
  readonly rollback: RollbackStatus;
  readonly actions: readonly Action[];
  readonly events: readonly EventDraft[];
  /** The stage under way; undefined when all have ended. */
  readonly current: { readonly stage: RollbackStage; readonly wakeAtMs: number } | undefined;
}

export function goThroughStages(view: RunView, begun: RollbackStatus): LaterStages {
  const events: EventDraft[] = [];
  const actions: Action[] = [];
  let rollback = begun;
  for (const stage of stages) {
    const known = rollback.stages.find(({ name }) => name === stage.name);
    if (known?.finishedAt !== undefined) continue;
    const hooked = hooksWaitedFor(stage);
    rollback = advanceHooks(view, rollback, hooked);
    const entry = known ?? running(stage, view.now);
    const { look, actions: own = [] } = stage.look(view, entry);
    const whole = together([look, lookAtHooks(view, rollback, hooked)]);
    const budgetEndsMs = fromIso(entry.startedAt) + stage.budgetMs(view.run.rollback);
    const isOver = view.now >= budgetEndsMs;
    if (whole.type === 'waiting' && !isOver) {
      const wakeAtMs = Math.min(whole.wakeAtMs, budgetEndsMs);
      const current = { stage: { ...entry, message: whole.message }, wakeAtMs };
      rollback = withStage(rollback, current.stage);
      return {
        rollback,
        actions: [...actions, ...own, ...hookActions(view, rollback)],
        events,
        current,
      };
    }
    const ended = endOf(entry, whole, view.now);
    if (whole.type === 'waiting') rollback = giveUpHooks(rollback, hooked, view.now);
    rollback = withStage(rollback, ended);
    events.push(...eventsOf(ended));
    // A report is written by what ends its stage.
    if (whole.type !== 'waiting') actions.push(...own);
  }
  return { rollback, actions, events, current: undefined };
}

/** Hooks of the first stage run beside it and never delay it, so it is here that they are waited for. */
function hooksWaitedFor({ name }: Stage): readonly string[] {
  return name === 'Restore' ? ['StopTraffic', name] : [name];
}

function running({ name }: Stage, now: number): RollbackStage {
  return { name, startedAt: toIso(now), outcome: 'Running', message: 'begun' };
}

function endOf(entry: RollbackStage, look: StageLook, now: number): RollbackStage {
  const outcomes = {
    skipped: 'Skipped',
    succeeded: 'Succeeded',
    failed: 'Failed',
    waiting: 'Overrun',
  } as const;
  return { ...entry, finishedAt: toIso(now), outcome: outcomes[look.type], message: look.message };
}

function withStage(rollback: RollbackStatus, stage: RollbackStage): RollbackStatus {
  const isKnown = rollback.stages.some(({ name }) => name === stage.name);
  return {
    ...rollback,
    stages: isKnown
      ? rollback.stages.map((one) => (one.name === stage.name ? stage : one))
      : [...rollback.stages, stage],
  };
}

function eventsOf({ name, outcome, message, startedAt, finishedAt }: RollbackStage): EventDraft[] {
  const base = { type: 'Warning', action: 'RollBack' } as const;
  if (outcome === 'Failed') {
    return [{ ...base, reason: 'RollbackStageFailed', note: `stage ${name} failed: ${message}` }];
  }
  if (outcome !== 'Overrun') return [];
  const took = spanText(fromIso(finishedAt ?? startedAt) - fromIso(startedAt));
  const note = `stage ${name} is over its budget after ${took}: ${message}`;
  return [{ ...base, reason: 'RollbackStageOverrun', note }];
}
