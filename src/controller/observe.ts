/** Look: everything `decide` may know about one rollout, put together from caches and due queries. */
import { annotations, finalizer } from '#api/names.ts';
import { type RolloutStatus, rolloutStatusSchema } from '#api/status.ts';
import type { Answer, MetricQuestion, Question } from '#core/answer.ts';
import { questionKey } from '#core/answer.ts';
import { openQuestions } from '#core/decide.ts';
import type { Decision } from '#core/decision.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type {
  DecisionObservation,
  DecisionPolicy,
  RouteObservation,
  Snapshot,
} from '#core/snapshot.ts';
import { type Standing, standingOf } from '#core/standing.ts';
import type { ChainBoard } from '#ports/chain-board.ts';
import type { Clock } from '#ports/clock.ts';
import { type Cluster, ClusterError, type KubeObject, type ObjectKey } from '#ports/cluster.ts';
import type { Endpoints } from '#ports/endpoints.ts';
import type { JobRunner, JobState } from '#ports/job-runner.ts';
import type { Prober } from '#ports/prober.ts';
import type { SuiteBoard } from '#ports/suite-runner.ts';
import type { TrafficRouter } from '#ports/traffic-router.ts';
import type { Workloads } from '#ports/workloads.ts';
import { DeadlineExceeded, withDeadline } from '#runtime/deadline.ts';
import type { DecisionPolicyReader } from './decision-policy.ts';
import type { DecisionIndex } from './decisions.ts';
import type { EvidenceKeeper } from './evidence.ts';
import type { RolloutIndex } from './rollout-index.ts';
import { readSpecRecord } from './spec-records.ts';
import type { KnownSpec, Specs } from './specs.ts';

/** Asks one question for one rollout; a failure is an answer. */
export type AskMetrics = (
  question: MetricQuestion,
  of: { readonly namespace: string; readonly spec: KnownSpec['spec'] },
  signal: AbortSignal,
) => Promise<Answer>;

export interface Observed {
  readonly clock: Clock;
  readonly cluster: Cluster;
  readonly endpoints: Endpoints;
  readonly routers: (kind: string) => TrafficRouter | undefined;
  readonly workloads: Workloads;
  readonly index: RolloutIndex;
  readonly specs: Specs;
  readonly jobs: JobRunner;
  readonly decisions: DecisionIndex;
  readonly decisionPolicy: Pick<DecisionPolicyReader, 'read'>;
  readonly ask: AskMetrics;
  readonly prober: Prober;
  readonly suites: SuiteBoard;
  readonly chain: ChainBoard | undefined;
  readonly evidence: EvidenceKeeper;
  /** Resolves once everything the run's routers read is watched. */
  readonly routesWatched: (run: RunSpec, signal: AbortSignal) => Promise<void>;
}

/**
 * Readings; the range queries that prove a hold; what its ladder asks; what verifies a rollback that follows at
 * once; and one to spare. Anything beyond would be a defect of the core.
 */
const ROUNDS_MAX = 5;

export async function observe(
  object: KubeObject,
  key: ObjectKey,
  world: Observed,
  signal: AbortSignal,
): Promise<Snapshot> {
  const wanted = world.specs.current(object, key);
  const status = parseStatus(object);
  const recorded = await recordedSpec({ object, status, key }, world, signal);
  const run = okRun(recorded) ?? (status.runId === undefined ? undefined : okRun(wanted));
  const basis = run ?? okRun(wanted);
  if (basis !== undefined) await world.routesWatched(basis, signal);
  const decisions = world.decisions.openFor(key);
  const snapshot: Snapshot = {
    now: world.clock.now(),
    object: identityOf(object, key),
    wanted: wanted.resolved,
    recorded: run,
    status,
    routes: basis === undefined ? [] : readRoutes(basis, world),
    restarts: (basis?.restarts ?? []).map((workload) => ({
      workload,
      reading: world.workloads.read(workload),
    })),
    ready: readyOf(basis, key, world),
    conflict: world.index.conflictOf(key),
    jobs: await readJobs(status, key, world, signal),
    decisions,
    decisionPolicy: await policyFor([run, okRun(wanted)], decisions, world, signal),
    suites: world.suites.states(object, basis?.suites ?? [], status.runId),
    answers: new Map(),
    evidence: world.evidence.stateOf(object, status, basis?.snapshots.keepRuns),
    chain: world.chain?.stateOf(key),
    last: standings.get(object),
  };
  const spec = recorded?.spec ?? wanted.spec;
  return answerQuestions(snapshot, { key, spec }, world, signal);
}

/** For as long as the cache holds the object: whoever changes anything about a rollout makes it another one. */
const standings = new WeakMap<KubeObject, Standing>();

/** What the next look may find to stand. */
export function remember(object: KubeObject, snapshot: Snapshot, decision: Decision): void {
  if (decision.isRepeated === true) return;
  const standing = standingOf(snapshot, decision);
  if (standing === undefined) standings.delete(object);
  else standings.set(object, standing);
}

/** Nothing may hold up the first stage of a rollback, so its hooks are looked at when it is over. */
const JOBS_MAX_MS = 2_000;

/** A Job that cannot be read is taken for one that runs: nothing follows from that but another look. */
async function readJobs(
  { rollback }: RolloutStatus,
  { namespace }: ObjectKey,
  { jobs, clock }: Observed,
  signal: AbortSignal,
): Promise<Snapshot['jobs']> {
  const running = (rollback?.hooks ?? []).filter(({ outcome }) => outcome === 'Running');
  const isOver = rollback?.stages.some(({ finishedAt }) => finishedAt !== undefined) ?? false;
  if (!isOver || running.length === 0) return new Map();
  const read = async ({
    job,
  }: {
    readonly job: string;
  }): Promise<[string, JobState] | undefined> => {
    const key = { namespace, name: job };
    try {
      const state = await withDeadline(clock, JOBS_MAX_MS, [signal], (limited) =>
        jobs.state(key, limited),
      );
      return state === undefined ? undefined : [job, state];
    } catch (error) {
      if (!(error instanceof ClusterError || error instanceof DeadlineExceeded)) throw error;
      return [job, { type: 'running' }];
    }
  };
  const states = await Promise.all(running.map(read));
  return new Map(states.filter((one) => one !== undefined));
}

/** Asks until the core has no more questions. */
async function answerQuestions(
  snapshot: Snapshot,
  of: { readonly key: ObjectKey; readonly spec: KnownSpec['spec'] },
  world: Observed,
  signal: AbortSignal,
): Promise<Snapshot> {
  let known = snapshot;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const open = openQuestions(known);
    if (open.length === 0) break;
    const unique = new Map(open.map((question) => [questionKey(question), question]));
    const asked = await Promise.all(
      [...unique].map(
        async ([id, question]) => [id, await answerOne(question, of, world, signal)] as const,
      ),
    );
    known = { ...known, answers: new Map([...known.answers, ...asked]) };
  }
  return known;
}

async function answerOne(
  question: Question,
  of: { readonly key: ObjectKey; readonly spec: KnownSpec['spec'] },
  world: Observed,
  signal: AbortSignal,
): Promise<Answer> {
  if (question.type === 'probe' || question.type === 'probeRange') {
    return world.prober.answer(of.key, question, signal);
  }
  return world.ask(question, { namespace: of.key.namespace, spec: of.spec }, signal);
}

/** Parsed once for as long as the cache holds the object: most looks find the status that the last one left. */
const parsedStatuses = new WeakMap<KubeObject, RolloutStatus>();

/** The schema is loose, so a status of any version parses; one that does not is taken as empty and rewritten. */
export function parseStatus(object: KubeObject): RolloutStatus {
  const known = parsedStatuses.get(object);
  if (known !== undefined) return known;
  const parsed = rolloutStatusSchema.safeParse(object['status'] ?? {});
  const status = parsed.success ? parsed.data : {};
  parsedStatuses.set(object, status);
  return status;
}

async function recordedSpec(
  {
    object,
    status,
    key,
  }: { readonly object: KubeObject; readonly status: RolloutStatus; readonly key: ObjectKey },
  world: Observed,
  signal: AbortSignal,
): Promise<KnownSpec | undefined> {
  const name = status.specRecord;
  if (name === undefined) return undefined;
  const { specs } = world;
  const remembered = specs.recorded(name, key) ?? specs.standing(name, object, key);
  if (remembered !== undefined) return remembered;
  const at = { namespace: key.namespace, name };
  const spec = await readSpecRecord(world.cluster, at, signal);
  return spec === undefined ? undefined : specs.remember(name, object, key, spec);
}

function okRun(known: KnownSpec | undefined): RunSpec | undefined {
  return known?.resolved.type === 'ok' ? known.resolved.run : undefined;
}

function identityOf(object: KubeObject, key: ObjectKey): Snapshot['object'] {
  const { uid = '', generation = 0, deletionTimestamp, finalizers } = object.metadata;
  return {
    ...key,
    uid,
    generation,
    deletionRequestedAtMs:
      deletionTimestamp === undefined ? undefined : Date.parse(deletionTimestamp),
    hasFinalizer: finalizers?.includes(finalizer) ?? false,
    request: object.metadata.annotations?.[annotations.request],
    author: object.metadata.annotations?.[annotations.author],
  };
}

/** Asked only where an approval is wanted at all. */
async function policyFor(
  runs: readonly (RunSpec | undefined)[],
  decisions: readonly DecisionObservation[],
  world: Observed,
  signal: AbortSignal,
): Promise<DecisionPolicy> {
  const isWanted = runs.some((run) => run?.points.some((point) => point.approval !== undefined));
  if (!isWanted) return { type: 'notEnforced', message: 'no step asks for an approval' };
  const isPressing = decisions.some(({ spec }) => spec.decision === 'Approve');
  return world.decisionPolicy.read(isPressing, signal);
}

function readRoutes(run: RunSpec, world: Observed): RouteObservation[] {
  return run.targets.map((target) => {
    const router = world.routers(target.kind);
    const message = `no router serves kind ${target.kind}`;
    const reading = router?.read(target) ?? { type: 'refused', reason: 'UnknownKind', message };
    return { target, reading };
  });
}

function readyOf(run: RunSpec | undefined, key: ObjectKey, world: Observed): Snapshot['ready'] {
  const count = (service: string | undefined) =>
    service === undefined ? undefined : world.endpoints.ready(key.namespace, service);
  return { stable: count(run?.stable?.service), canary: count(run?.canary?.service) };
}
