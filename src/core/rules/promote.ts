/**
 * The plan is carried out: watch for `thenMonitorFor`, then promote. Without a workload promotion means
 * that the last weight stays and goes on being asserted.
 */
import { endRun } from '#core/end-run.ts';
import { fromIsoOptional, spanText, toIso } from '#core/time.ts';
import type { Rule } from './rule.ts';

export const promote: Rule = {
  name: 'promote',
  when: 'every point of the plan has been passed',
  apply({ view }) {
    if (view === undefined) return undefined;
    const endedAtMs = fromIsoOptional(view.status.plan?.at(-1)?.passedAt) ?? view.now;
    const doneAtMs = endedAtMs + view.run.thenMonitorForMs;
    if (view.now < doneAtMs) {
      const message = `the plan is carried out; watching until ${toIso(doneAtMs)}`;
      return {
        because: { reason: 'Monitoring', message },
        phase: 'Monitoring',
        status: view.status,
        wakeAtMs: doneAtMs,
      };
    }
    const took = spanText(view.now - view.startedAtMs);
    const message = `revision ${view.run.revision} succeeded after ${took}`;
    const end = { outcome: 'Succeeded', message, now: view.now } as const;
    const ended = endRun(view.status, { ...end, historyLimit: view.run.historyLimit });
    return {
      because: { reason: 'Completed', message },
      phase: 'Succeeded',
      status: { ...ended, succeededRevision: view.run.revision },
      events: [{ type: 'Normal', reason: 'Succeeded', action: 'Promote', note: message }],
    };
  },
};
