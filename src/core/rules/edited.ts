/** The spec was edited in mid-run and is valid: the run follows it from here on. Points passed stay passed. */
import { specRecordName } from '#core/run-id.ts';
import { resolvePlan } from '#core/schedule.ts';
import { isWatched } from '#core/view.ts';
import type { Rule } from './rule.ts';

export const edited: Rule = {
  name: 'edited',
  when: 'a valid edit of the spec reaches a run under way',
  apply({ snapshot, view }) {
    const { wanted, object, status } = snapshot;
    if (view === undefined || wanted.type === 'invalid' || !isWatched(status)) return undefined;
    const isNew = object.generation !== status.runGeneration;
    if (!isNew || wanted.run.revision !== status.revision) return undefined;
    const specRecord = specRecordName(object.name, view.runId, object.generation);
    const next = { ...view.status, runGeneration: object.generation, specRecord };
    const message = `following the spec of generation ${object.generation}`;
    return {
      because: { reason: 'SpecChanged', message },
      phase: view.status.phase === 'Preflight' ? 'Preflight' : 'Progressing',
      status: { ...next, plan: resolvePlan(wanted.run, next) },
      first: [{ type: 'RecordSpec', name: specRecord, runId: view.runId }],
      events: [{ type: 'Normal', reason: 'SpecChanged', action: 'Follow', note: message }],
      wakeAtMs: view.now,
      leavesTraffic: true,
    };
  },
};
