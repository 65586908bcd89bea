/**
 * The plan is carried out: watch for `thenMonitorFor`, then promote. Without a workload promotion means
 * that the last weight stays and goes on being asserted.
 */
import type { Hold } from '#api/status.ts';
import { isUnproved } from '#core/chain-holds.ts';
import { endRun } from '#core/end-run.ts';
import { criticalBlockers, freezeBlockers, holdSentence } from '#core/holds.ts';
import { monitoredUntilMs } from '#core/schedule.ts';
import { spanText, toIso } from '#core/time.ts';
import { allRead, desiredWeight } from '#core/traffic.ts';
import type { RunView } from '#core/view.ts';
import type { Rule, Verdict } from './rule.ts';

export const promote: Rule = {
  name: 'promote',
  when: 'every point of the plan has been passed',
  apply({ view }) {
    if (view === undefined) return undefined;
    const doneAtMs = monitoredUntilMs(view.run, view.status, view.now);
    const obstacle = obstacleTo(view);
    if (view.now < doneAtMs || obstacle !== undefined) {
      const message = `the plan is carried out; watching until ${obstacle ?? toIso(doneAtMs)}`;
      return {
        because: { reason: 'Monitoring', message },
        phase: 'Monitoring',
        status: view.status,
        ...(view.now < doneAtMs ? { wakeAtMs: doneAtMs } : {}),
      };
    }
    const waits = [...freezeBlockers(view.riseBlockers), ...view.riseBlockers.filter(isUnproved)];
    if (waits.length > 0) return whileShut(view, waits);
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

/** The end of the run is a promotion: it waits until the window has ended, and for the check of the metric chain. */
function whileShut(view: RunView, waits: readonly Hold[]): Verdict {
  const message = `the plan is carried out: ${holdSentence(waits)}`;
  return {
    because: { reason: waits[0]?.reason ?? 'Held', message },
    phase: 'Held',
    status: view.status,
    holds: [...view.holds, ...waits],
  };
}

/** What a run must not end well with, as the end of a sentence. */
function obstacleTo(view: RunView): string | undefined {
  const unproved = criticalBlockers(view.riseBlockers);
  if (unproved.length > 0) return `every Critical trigger is Inactive: ${holdSentence(unproved)}`;
  const weight = desiredWeight(view.run, view.status) ?? 100;
  return allRead(view.snapshot.routes, weight)
    ? undefined
    : `${weight}% is read back from every route`;
}
