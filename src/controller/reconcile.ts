/** One look at one rollout, in five verbs: observe, decide, checkpoint, act, come back. */
import { rolloutResource } from '#api/names.ts';
import type { RolloutStatus } from '#api/status.ts';
import { decide } from '#core/decide.ts';
import type { Action, Decision, EventDraft } from '#core/decision.ts';
import { hasRungsAhead } from '#core/ladder.ts';
import { routineLook } from '#core/next-look.ts';
import type { EventRecord } from '#core/record.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { toIso } from '#core/time.ts';
import { ClusterError, type KubeObject, type ObjectKey } from '#ports/cluster.ts';
import type { EventRecorder } from '#ports/event-recorder.ts';
import type { Logger } from '#ports/logger.ts';
import type { Announcer } from '#ports/notifier.ts';
import type { RightOfWay } from '#runtime/right-of-way.ts';
import type { Turn, Turns } from '#runtime/turns.ts';
import { type ActionOutcome, type Actor, act } from './act.ts';
import { writeStatus } from './checkpoint.ts';
import { rolloutKey } from './keys.ts';
import type { ManifestKeeper } from './manifest-keeper.ts';
import { type Observed, observe, remember } from './observe.ts';
import type { ReconcileObserver } from './observer.ts';

export interface Reconciler extends Observed, Actor {
  readonly events: EventRecorder;
  readonly people: Announcer;
  readonly observer: ReconcileObserver;
  readonly logger: Logger;
  /** Of many rollbacks at once, every route is lowered before the first status is written. */
  readonly rightOfWay: RightOfWay;
  /** Of many that have something to write, only so many do at a time; nothing that is at stake waits for it. */
  readonly turns: Turns;
  readonly manifests: ManifestKeeper;
}

/** When to come back: a time, at once because something changed under our hands, or only on a change. */
export type Return =
  | {
      readonly type: 'at';
      readonly atMs: number;
      /** So much later will do. */
      readonly slackMs: number;
      readonly isUrgent: boolean;
    }
  | { readonly type: 'again' }
  | { readonly type: 'onChange' }
  | { readonly type: 'gone' };

/** Rejects with ClusterError or a defect; the queue's own backoff brings the key back. */
export async function reconcile(
  key: ObjectKey,
  shell: Reconciler,
  signal: AbortSignal,
): Promise<Return> {
  const turn = shell.turns.begin(rolloutKey(key));
  try {
    return await look(key, shell, turn, signal);
  } finally {
    turn.end();
  }
}

async function look(
  key: ObjectKey,
  shell: Reconciler,
  turn: Turn,
  signal: AbortSignal,
): Promise<Return> {
  const startedMs = shell.clock.monotonic();
  const object = shell.cluster.cached(rolloutResource, key);
  if (object === undefined) {
    shell.specs.forget(key);
    shell.prober.forget(key);
    shell.suites.forget(key);
    shell.chain?.forget(key);
    shell.evidence.forget(key);
    shell.manifests.forget(key);
    shell.people.forget(key);
    shell.observer.forgotten(key);
    return { type: 'gone' };
  }
  const snapshot = await observe(object, key, shell, signal);
  const decision = decide(snapshot);
  remember(object, snapshot, decision);
  const evaluationMs = shell.clock.monotonic() - startedMs;
  const seen = { object, key, snapshot, decision };
  const isBeginning = snapshot.status.runId === undefined;
  if (needsTurn(seen) && !turn.take({ isBeginning })) {
    shell.observer.reconciled('deferred', shell.clock.monotonic() - startedMs, evaluationMs);
    return untilCalled(snapshot);
  }
  const { outcomes, faults } = await carryOut(seen, shell, signal);
  tell(seen, shell);
  const run = runOf(snapshot);
  if (run !== undefined) shell.manifests.keep(object, run);
  const conflicted = outcomes.some((outcome) => outcome.type === 'conflict');
  const durationMs = shell.clock.monotonic() - startedMs;
  const [fault] = faults;
  if (fault !== undefined) throw fault;
  shell.observer.reconciled(conflicted ? 'conflict' : 'success', durationMs, evaluationMs);
  return conflicted ? { type: 'again' } : comeBack(decision);
}

/** What is watched: the run under way, else what the spec would make of one. */
function runOf({ recorded, wanted }: Snapshot): RunSpec | undefined {
  return recorded ?? (wanted.type === 'ok' ? wanted.run : undefined);
}

interface Look {
  readonly object: KubeObject;
  readonly key: ObjectKey;
  readonly snapshot: Snapshot;
  readonly decision: Decision;
}

interface CarriedOut {
  readonly outcomes: readonly ActionOutcome[];
  /** Faults of actions that must not keep the ones after them from being tried. */
  readonly faults: readonly Error[];
}

/**
 * The order is the safety of the shell: what lowers canary in a rollback goes first and waits for nothing;
 * then records that the status will name; then the status; then everything else.
 */
async function carryOut(
  { object, snapshot, decision }: Look,
  shell: Reconciler,
  signal: AbortSignal,
): Promise<CarriedOut> {
  const urgent = decision.first.filter(stopsTraffic);
  const records = decision.first.filter((action) => !stopsTraffic(action));
  const lowered = await lower(urgent, object, shell, signal);
  let rollout = object;
  for (const action of records) {
    const outcome = await act(action, rollout, shell, signal);
    if (outcome.type === 'done' && outcome.rollout !== undefined) rollout = outcome.rollout;
  }
  if (decision.status !== snapshot.status) {
    await shell.rightOfWay.giveWay(signal);
    rollout = await writeStatus(shell.cluster, rollout, decision.status, signal);
  } else if (decision.actions.some(movesTraffic)) {
    await expectCurrent(rollout, shell, signal);
  }
  const rest = await actAll(decision.actions, rollout, shell, signal);
  return {
    outcomes: [...lowered.outcomes, ...rest.outcomes],
    faults: [...lowered.faults, ...rest.faults],
  };
}

async function lower(
  urgent: readonly Action[],
  object: KubeObject,
  shell: Reconciler,
  signal: AbortSignal,
): Promise<CarriedOut> {
  if (urgent.length === 0) return { outcomes: [], faults: [] };
  return shell.rightOfWay.urgent(() => actAll(urgent, object, shell, signal));
}

function stopsTraffic({ type }: Pick<Action, 'type'>): boolean {
  return type === 'SetWeight' || type === 'Isolate' || type === 'Restart';
}

/**
 * A write of the status is guarded by its resourceVersion, and with it all that follows. Where there is none to be written, as when a
 * route is set again that had not followed, somebody who leads as well may have held the run in the meantime.
 */
async function expectCurrent(
  { metadata }: KubeObject,
  { cluster }: Reconciler,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name, resourceVersion } = metadata;
  const current = await cluster.get(rolloutResource, { namespace, name }, signal);
  if (current?.metadata.resourceVersion === resourceVersion) return;
  throw new ClusterError(
    'conflict',
    `GenesisRollout ${namespace}/${name} has changed since it was read`,
  );
}

function movesTraffic({ type }: Pick<Action, 'type'>): boolean {
  return stopsTraffic({ type }) || type === 'Rejoin' || type === 'Release';
}

/** Side by side: a slow route must not delay another. What one refuses is logged and does not stop the rest. */
async function actAll(
  actions: readonly Action[],
  rollout: KubeObject,
  shell: Reconciler,
  signal: AbortSignal,
): Promise<CarriedOut> {
  const settled = await Promise.allSettled(
    actions.map((action) => act(action, rollout, shell, signal)),
  );
  const faults = settled.flatMap((one) => (one.status === 'rejected' ? [toError(one.reason)] : []));
  const outcomes = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const outcome of outcomes) {
    if (outcome.type === 'refused') {
      shell.logger.warn({ rollout: rollout.metadata.name }, outcome.message);
    }
  }
  return { outcomes, faults };
}

/** Events and one log line for every decision that changes something; the rest is there at debug level. */
function tell({ object, key, snapshot, decision }: Look, shell: Reconciler): void {
  for (const { type, reason, action, note } of decision.events) {
    shell.events.record({ regarding: object, type, reason, action, note });
  }
  const at = toIso(snapshot.now);
  const events = decision.events.map(
    ({ type: kind, reason, note }): EventRecord => ({ type: 'event', at, kind, reason, note }),
  );
  shell.evidence.keepEvents(object, decision.status, events);
  const { rule, because, status, triggers } = decision;
  const fields = { ...key, rule, ...because, phase: status.phase, runId: status.runId };
  const changes =
    status !== snapshot.status ||
    decision.first.length + decision.actions.filter(isTold).length > 0;
  if (changes) shell.logger.info(fields, because.message);
  else shell.logger.debug(fields, because.message);
  for (const { reason, note } of decision.events.filter(isForPeople)) {
    shell.logger.warn({ ...key, runId: status.runId, reason }, note);
  }
  shell.people.looked({ rollout: object, status, run: runAfter(snapshot, status), triggers });
  shell.observer.decided(key, snapshot, decision);
}

/** A run that begins with this look follows the spec as it stands. */
function runAfter(snapshot: Snapshot, { runId }: RolloutStatus): RunSpec | undefined {
  const { recorded, wanted, status: before } = snapshot;
  if (before.runId === runId) return runOf(snapshot);
  return wanted.type === 'ok' ? wanted.run : recorded;
}

/** Whether it writes anything before it is over, and nothing that lowers canary or may come to that. */
function needsTurn({ snapshot, decision }: Look): boolean {
  const { status, first, actions } = decision;
  if (isPressing(decision) || first.some(stopsTraffic)) return false;
  return status !== snapshot.status || first.length > 0 || actions.some(isTold);
}

/** What calls a person must be found in the log too, where Events live for an hour. */
function isForPeople({ action }: EventDraft): boolean {
  return action === 'Notify' || action === 'Page';
}

/** What is done every few minutes is no news, and is carried out beside the looks. */
function isTold({ type }: Action): boolean {
  return type !== 'RecordSnapshot' && type !== 'WriteReport' && type !== 'CheckChain';
}

function comeBack(decision: Decision): Return {
  if (decision.wakeAtMs === undefined) return { type: 'onChange' };
  const isUrgent = isPressing(decision);
  return { type: 'at', atMs: decision.wakeAtMs, slackMs: decision.slackMs, isUrgent };
}

/** What waits for its turn is evaluated as ever; a run that has not begun has nothing to be evaluated. */
function untilCalled({ recorded, now }: Snapshot): Return {
  if (recorded === undefined) return { type: 'onChange' };
  const { wakeAtMs, slackMs } = routineLook(recorded, {
    now,
    soonestMs: Number.POSITIVE_INFINITY,
    isCalm: true,
  });
  return { type: 'at', atMs: wakeAtMs, slackMs, isUrgent: false };
}

/** A rollback is under way, or may come of what is seen: that waits for nobody. */
function isPressing({ status, triggers }: Decision): boolean {
  return (
    status.rollback !== undefined ||
    triggers.some((one) => one.status.state === 'Pending' || hasRungsAhead(one))
  );
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
