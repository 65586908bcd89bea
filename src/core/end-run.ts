/** A run's end, written down once: when it finished, and one line of history. */
import { limits } from '#api/limits.ts';
import type { HistoryEntry, RolloutStatus } from '#api/status.ts';
import { toIso } from './time.ts';

export type RunOutcome = 'Succeeded' | 'RolledBack' | 'Superseded';

export function endRun(
  status: RolloutStatus,
  end: {
    readonly outcome: RunOutcome;
    readonly message: string;
    readonly now: number;
    readonly historyLimit: number;
  },
): RolloutStatus {
  const finishedAt = toIso(end.now);
  const entry: HistoryEntry = {
    revision: status.revision ?? '',
    runId: status.runId ?? '',
    outcome: end.outcome,
    startedAt: status.startedAt ?? finishedAt,
    finishedAt,
    message: end.message,
  };
  const kept = Math.min(end.historyLimit, limits.historyMax);
  return { ...status, finishedAt, history: [entry, ...(status.history ?? [])].slice(0, kept) };
}
