/** A new revision, or a retry: a run starts. Nothing of an earlier run's triggers, holds or plan leaks in. */
import type { HistoryEntry, RolloutStatus, RouteStatus } from '#api/status.ts';
import type { Action } from '#core/decision.ts';
import { endRun } from '#core/end-run.ts';
import { isRejected } from '#core/new-revision.ts';
import { withAuthor } from '#core/people/approval.ts';
import { recordAnswer } from '#core/people/ledger.ts';
import { nextWish, type Wish } from '#core/people/wish.ts';
import { restartsToStable } from '#core/restarts.ts';
import { isStableGone } from '#core/rollback.ts';
import { newRunId, specRecordName } from '#core/run-id.ts';
import type { RunSpec } from '#core/run-spec.ts';
import { resolvePlan } from '#core/schedule.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { toIso } from '#core/time.ts';
import { allRead, isOtherTraffic } from '#core/traffic.ts';
import { isWatched, type RunView } from '#core/view.ts';
import type { Rule, RuleInput, Verdict } from './rule.ts';

const RETRY_MS = 1000;

export const begin: Rule = {
  name: 'begin',
  when: 'the revision is new, or a person retries an ended run',
  apply({ snapshot, view }) {
    const { wanted } = snapshot;
    if (wanted.type === 'invalid' || !startsNow({ snapshot, view }, wanted.run)) return undefined;
    if (snapshot.conflict !== undefined && snapshot.status.runId === undefined) {
      return refuse(snapshot, snapshot.conflict);
    }
    const isUnfinished = view !== undefined && isWatched(view.status) && hasSteered(view);
    if (isUnfinished && snapshot.conflict === undefined && !allRead(snapshot.routes, 0)) {
      return leave(view, wanted.run);
    }
    return start(snapshot, wanted.run, view);
  },
};

function startsNow({ snapshot, view }: RuleInput, wanted: RunSpec): boolean {
  const { status } = snapshot;
  if (status.runId === undefined) return true;
  if (isRetried(snapshot)) return true;
  if (wanted.revision !== status.revision) {
    return isWatched(status) ? wanted.onNewRevision === 'Restart' : !isRejected(snapshot);
  }
  // Other routes or Services cannot be followed by a run that has moved traffic: it starts again.
  return (
    view !== undefined &&
    snapshot.object.generation !== status.runGeneration &&
    isWatched(status) &&
    hasSteered(view) &&
    wanted.onNewRevision === 'Restart' &&
    isOtherTraffic(view.run, wanted)
  );
}

function isRetried(snapshot: Snapshot): boolean {
  return retryOf(snapshot) !== undefined;
}

/** A person wants an ended run to start again. What is no matter of this run `asked` has refused before. */
function retryOf(snapshot: Snapshot): Wish | undefined {
  if (isWatched(snapshot.status)) return undefined;
  const next = nextWish(snapshot, snapshot.status);
  return next?.type === 'wish' && next.wish.kind === 'Retry' ? next.wish : undefined;
}

function hasSteered({ status }: RunView): boolean {
  return status.step !== undefined || status.replacedRevision !== undefined;
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

/**
 * Weight 0 first, by the routes and Services of the run that is replaced: under those of the new one the same
 * share may lead elsewhere.
 */
function leave(view: RunView, wanted: RunSpec): Verdict {
  const { snapshot, now } = view;
  const base = { status: view.status, leavesTraffic: true, wakeAtMs: now + RETRY_MS } as const;
  const what = `revision ${wanted.revision} starts once canary of this run is at 0%`;
  if (isStableGone(snapshot)) {
    const message = `${what}; stable has no Ready endpoint, so canary keeps its traffic`;
    return { ...base, because: { reason: 'StableDown', message }, phase: 'Held' };
  }
  const first = snapshot.routes
    .filter((route) => !allRead([route], 0))
    .map(({ target }): Action => ({ type: 'SetWeight', target, weight: 0, rollbackOf: undefined }));
  return {
    ...base,
    because: { reason: 'RunSuperseded', message: what },
    phase: 'Progressing',
    first,
  };
}

function start(snapshot: Snapshot, run: RunSpec, view: RunView | undefined): Verdict {
  const { now, object, status } = snapshot;
  const { revision } = run;
  const runId = newRunId(object.uid, { revision, startedAtMs: now, after: status.runId ?? '' });
  const specRecord = specRecordName(object.name, runId, {
    generation: object.generation,
    digest: run.digest,
  });
  const isSameTraffic = view !== undefined && !isOtherTraffic(view.run, run);
  const isUnfinished = isWatched(status) && status.runId !== undefined;
  const isReplacing = isUnfinished && isSameTraffic && hasSteered(view);
  const routes = isSameTraffic ? declaredOnly(status.routes) : undefined;
  const fresh: RolloutStatus = {
    ...(status.conditions === undefined ? {} : { conditions: status.conditions }),
    ...(status.succeededRevision === undefined
      ? {}
      : { succeededRevision: status.succeededRevision }),
    ...(isReplacing && status.revision !== undefined ? { replacedRevision: status.revision } : {}),
    ...(snapshot.ready.stable === undefined ? {} : { stableReadyAtStart: snapshot.ready.stable }),
    ...(routes === undefined ? {} : { routes }),
    revision,
    runId,
    runGeneration: object.generation,
    specRecord,
    startedAt: toIso(now),
    holds: [],
    triggers: [],
    history: isUnfinished ? historyWith(snapshot, run) : (status.history ?? []),
  };
  const started = withAuthor(answered(snapshot, fresh), snapshot);
  const message = `run ${runId} of revision ${revision} started`;
  return {
    because: { reason: 'RunStarted', message },
    phase: 'Preflight',
    status: { ...started, plan: resolvePlan(run, started) },
    // The record and the finalizer come before the status that relies on them.
    first: [{ type: 'AddFinalizer' }, { type: 'RecordSpec', name: specRecord, runId }],
    // The run that is left behind can no longer say that its workloads have to follow its flag.
    actions: isUnfinished && view !== undefined ? restartsToStable(view) : [],
    events: [{ type: 'Normal', reason: 'RunStarted', action: 'Start', note: message }],
    wakeAtMs: now,
    leavesTraffic: true,
  };
}

/** A retry is answered by the start. Anything else that is asked is a matter of the run that starts now. */
function answered(snapshot: Snapshot, started: RolloutStatus): RolloutStatus {
  const { lastRequestToken, decisions } = snapshot.status;
  const status: RolloutStatus = {
    ...started,
    ...(decisions === undefined ? {} : { decisions }),
    ...(lastRequestToken === undefined ? {} : { lastRequestToken }),
  };
  const wish = retryOf(snapshot);
  if (wish === undefined) return status;
  const message = `${wish.named} is applied: run ${started.runId ?? ''} starts`;
  return recordAnswer(snapshot, status, { wish, outcome: 'Applied', message });
}

/** What others declared is known from before our first write only, so it is kept from run to run. */
function declaredOnly(routes: readonly RouteStatus[] | undefined): RouteStatus[] | undefined {
  return routes?.map(({ kind, name, declared }) => ({
    kind,
    name,
    ...(declared === undefined ? {} : { declared }),
  }));
}

function historyWith({ status, now }: Snapshot, run: RunSpec): HistoryEntry[] {
  const message =
    run.revision === status.revision
      ? 'started again, because spec.traffic was changed'
      : `replaced by revision ${run.revision} before it had ended`;
  const end = { outcome: 'Superseded', message, now, historyLimit: run.historyLimit } as const;
  return endRun(status, end).history ?? [];
}
