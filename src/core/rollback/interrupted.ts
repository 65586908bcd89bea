/**
 * A rollback whose decision could not be written down: which trigger had asked for it. Traffic is at 0 by then, so that
 * a trigger of canary's has no reading any more; what the last written status says of it, and the time, still tell.
 */
import type { TriggerStatus } from '#api/status.ts';
import type { RunTrigger } from '#core/run-spec.ts';
import { clockText, fromIso, fromIsoOptional, spanText } from '#core/time.ts';
import type { RunView } from '#core/view.ts';

export interface InterruptedBy {
  readonly trigger: string;
  readonly dueAtMs: number;
  readonly message: string;
}

/** @returns the trigger whose rollback was due first, by now; undefined where none was: a person had asked */
export function interruptedBy({ snapshot, run, now }: RunView): InterruptedBy | undefined {
  const due = run.triggers.flatMap((trigger) => {
    const written = snapshot.status.triggers?.find(({ name }) => name === trigger.name);
    const dueAtMs = written && rollbackDueAtMs(trigger, written);
    return dueAtMs === undefined || dueAtMs > now ? [] : [{ trigger, written, dueAtMs }];
  });
  const [first] = due.toSorted((a, b) => a.dueAtMs - b.dueAtMs);
  if (first === undefined) return undefined;
  const { trigger, written, dueAtMs } = first;
  const activeAtMs = fromIso(written?.activeAt ?? '');
  const message = `${trigger.name} ${trigger.condition.text} for ${spanText(trigger.forMs)} since ${clockText(activeAtMs)}`;
  return { trigger: trigger.name, dueAtMs, message };
}

/** Rungs that wait for a trend or a finding have no moment of their own. */
function rollbackDueAtMs(trigger: RunTrigger, written: TriggerStatus): number | undefined {
  const rung = trigger.ladder.find((one) => one.action === 'Rollback' && one.when === undefined);
  const activeAtMs = fromIsoOptional(written.activeAt);
  const isStanding = written.state === 'Pending' || written.state === 'Firing';
  if (rung === undefined || activeAtMs === undefined || !isStanding) return undefined;
  const firingAtMs =
    fromIsoOptional(written.firingAt) ?? activeAtMs + trigger.forMs + (written.gapMs ?? 0);
  return (fromIsoOptional(written.sharedUntil) ?? firingAtMs) + rung.afterMs;
}
