/** A new revision, or a retry: a run starts. Nothing of an earlier run's triggers, holds or plan leaks in. */
import type { HistoryEntry, RolloutStatus } from '#api/status.ts';
import { endRun } from '#core/end-run.ts';
import { pendingRequest } from '#core/requests.ts';
import { newRunId, specRecordName } from '#core/run-id.ts';
import type { RunSpec } from '#core/run-spec.ts';
import { resolvePlan } from '#core/schedule.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { toIso } from '#core/time.ts';
import { isWatched } from '#core/view.ts';
import type { Rule, RuleInput, Verdict } from './rule.ts';

export const begin: Rule = {
  name: 'begin',
  when: 'the revision is new, or a person retries an ended run',
  apply(input) {
    const { snapshot } = input;
    const { wanted } = snapshot;
    if (wanted.type === 'invalid' || !startsNow(input, wanted.run)) return undefined;
    if (snapshot.conflict !== undefined && snapshot.status.runId === undefined) {
      return refuse(snapshot, snapshot.conflict);
    }
    return start(snapshot, wanted.run);
  },
};

function startsNow({ snapshot }: RuleInput, wanted: RunSpec): boolean {
  const { status, object } = snapshot;
  if (status.runId === undefined) return true;
  if (wanted.revision === status.revision) {
    const request = pendingRequest(object.request, status.lastRequestToken);
    return !isWatched(status) && request?.type === 'request' && request.verb === 'retry';
  }
  return !isWatched(status) || wanted.onNewRevision === 'Restart';
}

function refuse(snapshot: Snapshot, owner: string): Verdict {
  const message = `GenesisRollout ${owner} is older and already steers one of these routes; delete one of the two, or give them different routes`;
  return {
    because: { reason: 'RouteConflict', message },
    phase: 'Pending',
    status: snapshot.status,
    leavesTraffic: true,
  };
}

function start(snapshot: Snapshot, run: RunSpec): Verdict {
  const { now, object, status } = snapshot;
  const runId = newRunId(object.uid, run.revision, now);
  const specRecord = specRecordName(object.name, runId, object.generation);
  const request = pendingRequest(object.request, status.lastRequestToken);
  const replaced = isWatched(status) && status.runId !== undefined ? status.revision : undefined;
  const started: RolloutStatus = {
    ...(status.conditions === undefined ? {} : { conditions: status.conditions }),
    ...(status.succeededRevision === undefined
      ? {}
      : { succeededRevision: status.succeededRevision }),
    ...(request?.type === 'request' ? { lastRequestToken: request.token } : {}),
    ...(replaced === undefined ? {} : { replacedRevision: replaced }),
    ...(snapshot.ready.stable === undefined ? {} : { stableReadyAtStart: snapshot.ready.stable }),
    revision: run.revision,
    runId,
    runGeneration: object.generation,
    specRecord,
    startedAt: toIso(now),
    holds: [],
    triggers: [],
    history: historyWith(snapshot, replaced, run),
  };
  const message = `run ${runId} of revision ${run.revision} started`;
  return {
    because: { reason: 'RunStarted', message },
    phase: 'Preflight',
    status: { ...started, plan: resolvePlan(run, started) },
    // The record and the finalizer come before the status that relies on them.
    first: [{ type: 'AddFinalizer' }, { type: 'RecordSpec', name: specRecord, runId }],
    actions:
      object.request !== undefined ? [{ type: 'ClearRequest', request: object.request }] : [],
    events: [{ type: 'Normal', reason: 'RunStarted', action: 'Start', note: message }],
    wakeAtMs: now,
    leavesTraffic: true,
  };
}

function historyWith(
  { status, now }: Snapshot,
  replaced: string | undefined,
  run: RunSpec,
): HistoryEntry[] {
  if (replaced === undefined) return status.history ?? [];
  const message = `replaced by revision ${run.revision} before it had ended`;
  const end = { outcome: 'Superseded', message, now, historyLimit: run.historyLimit } as const;
  return endRun(status, end).history ?? [];
}
