/** Act: carries out what was decided. Every action is absolute, so doing it again, or late, is harmless. */
import { annotations, fieldManager, finalizer, rolloutResource } from '#api/names.ts';
import { assertNever } from '#core/assert.ts';
import type { Action } from '#core/decision.ts';
import type { ChainBoard } from '#ports/chain-board.ts';
import type { Clock } from '#ports/clock.ts';
import { type Cluster, ClusterError, type KubeObject, type ObjectKey } from '#ports/cluster.ts';
import type { JobRunner } from '#ports/job-runner.ts';
import type { SuiteBoard } from '#ports/suite-runner.ts';
import type { RouteWrite, TrafficRouter } from '#ports/traffic-router.ts';
import type { Workloads } from '#ports/workloads.ts';
import { DeadlineExceeded, withDeadline } from '#runtime/deadline.ts';
import type { EvidenceKeeper } from './evidence.ts';
import { type AskMetrics, parseStatus } from './observe.ts';
import { settleDecision } from './settle-decision.ts';
import { writeSpecRecord } from './spec-records.ts';
import type { Specs } from './specs.ts';

export interface Actor {
  readonly clock: Clock;
  readonly cluster: Cluster;
  readonly routers: (kind: string) => TrafficRouter | undefined;
  readonly workloads: Workloads;
  readonly specs: Specs;
  readonly ask: AskMetrics;
  readonly suites: SuiteBoard;
  /** Undefined: nobody checks the metric chain. */
  readonly chain: ChainBoard | undefined;
  readonly evidence: EvidenceKeeper;
  readonly jobs: JobRunner;
}

/** What came of an action that the API server did not fail. */
export type ActionOutcome =
  /** `rollout` is set where the action changed the rollout itself: what follows goes by its new resourceVersion. */
  | { readonly type: 'done'; readonly rollout?: KubeObject }
  /** Somebody else wrote in between: look again at once. */
  | { readonly type: 'conflict'; readonly message: string }
  | { readonly type: 'refused'; readonly message: string };

const DONE: ActionOutcome = { type: 'done' };

/** Rejects with ClusterError when the API server fails. */
export async function act(
  action: Action,
  rollout: KubeObject,
  actor: Actor,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  const { namespace = '', name } = rollout.metadata;
  const key = { namespace, name };
  switch (action.type) {
    case 'SetWeight':
    case 'Isolate':
    case 'Rejoin':
    case 'Release':
      return toOutcome(await writeRoute(action, actor, signal));
    case 'Restart':
      return restart(action, actor, signal);
    case 'RecordSpec':
      await writeSpecRecord(actor.cluster, rollout, action, signal);
      actor.specs.remember(action.name, rollout, key, rollout['spec']);
      return DONE;
    case 'AddFinalizer':
      return setFinalizers(rollout, actor, signal, (known) => [
        ...known.filter((one) => one !== finalizer),
        finalizer,
      ]);
    case 'RemoveFinalizer':
      return setFinalizers(rollout, actor, signal, (known) =>
        known.filter((one) => one !== finalizer),
      );
    case 'ClearRequest':
      await clearRequest(key, action.request, actor, signal);
      return DONE;
    case 'RunJob':
      return runJob(action, rollout, actor, signal);
    case 'RunSuite':
      actor.suites.start({ ...action, rollout });
      return DONE;
    case 'CheckChain':
      actor.chain?.check({ ...action, rollout });
      return DONE;
    case 'RecordSnapshot': {
      const record = parseStatus(rollout).specRecord ?? '';
      const { spec } = actor.specs.recorded(record, key) ?? actor.specs.current(rollout, key);
      actor.evidence.keepSnapshot(rollout, action, (question, inTime) =>
        actor.ask(question, { namespace, spec }, inTime),
      );
      return DONE;
    }
    case 'WriteReport':
      actor.evidence.keepReport(rollout, action);
      return DONE;
    case 'SettleDecision':
      return settleDecision(action, namespace, actor, signal);
    default:
      return assertNever(action);
  }
}

/** A hook must never keep a look from coming back: what fails is tried again at the next one. */
async function runJob(
  { name, jobTemplate, runId }: Extract<Action, { type: 'RunJob' }>,
  owner: KubeObject,
  { jobs }: Actor,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  try {
    await jobs.ensure({ name, jobTemplate, owner, runId, purpose: 'rollback-hook' }, signal);
    return DONE;
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return { type: 'refused', message: `Job ${name} could not be created: ${error.message}` };
  }
}

/** It must never keep routes and status waiting: what fails is tried again at the next look. */
const RESTART_MAX_MS = 2_000;

async function restart(
  { workload, weight }: Extract<Action, { type: 'Restart' }>,
  { workloads, clock }: Actor,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  try {
    return await withDeadline(clock, RESTART_MAX_MS, [signal], (limited) =>
      workloads.restart(workload, weight, limited),
    );
  } catch (error) {
    if (!(error instanceof ClusterError || error instanceof DeadlineExceeded)) throw error;
    const what = `${workload.kind} ${workload.name} could not be restarted`;
    return { type: 'refused', message: `${what}: ${error.message}` };
  }
}

async function writeRoute(
  action: Extract<Action, { type: 'SetWeight' | 'Isolate' | 'Rejoin' | 'Release' }>,
  actor: Actor,
  signal: AbortSignal,
): Promise<RouteWrite> {
  const { target } = action;
  const router = actor.routers(target.kind);
  if (router === undefined) {
    const message = `no router serves kind ${target.kind}`;
    return { type: 'refused', reason: 'UnknownKind', message };
  }
  switch (action.type) {
    case 'SetWeight': {
      const { rollbackOf } = action;
      const options = rollbackOf === undefined ? { signal } : { signal, rollbackOf };
      return router.setWeight(target, action.weight, options);
    }
    case 'Isolate':
      return router.isolate(target, signal);
    case 'Rejoin':
      return router.rejoin(target, signal);
    case 'Release':
      return router.release(target, action.declared, signal);
    default:
      return assertNever(action);
  }
}

function toOutcome(write: RouteWrite): ActionOutcome {
  return write.type === 'written' ? DONE : { type: write.type, message: write.message };
}

/** Guarded by resourceVersion: a list is replaced as a whole. */
async function setFinalizers(
  rollout: KubeObject,
  { cluster }: Actor,
  signal: AbortSignal,
  change: (known: readonly string[]) => readonly string[],
): Promise<ActionOutcome> {
  const { namespace = '', name, finalizers = [], resourceVersion } = rollout.metadata;
  const next = change(finalizers);
  if (next.length === finalizers.length) return DONE;
  const patch = { metadata: { resourceVersion, finalizers: next } };
  const key = { namespace, name };
  const options = { fieldManager, signal };
  return { type: 'done', rollout: await cluster.mergePatch(rolloutResource, key, patch, options) };
}

/** Only if it is still the request that was read: a newer one must not be lost. */
async function clearRequest(
  key: ObjectKey,
  request: string,
  { cluster }: Actor,
  signal: AbortSignal,
): Promise<void> {
  const path = `/metadata/annotations/${annotations.request.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const operations = [
    { op: 'test', path, value: request },
    { op: 'remove', path },
  ] as const;
  await cluster.jsonPatch(rolloutResource, key, operations, { fieldManager, signal });
}
