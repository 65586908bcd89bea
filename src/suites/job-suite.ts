/**
 * A health suite as a Job. Its result is the termination message of its pod, at most 4,096 bytes, or JUnit XML on its log.
 * A Job's name follows from the run and the time it was due, so whoever takes over finds it and goes on waiting for it.
 */
import { createHash } from 'node:crypto';
import { jobResource, labels } from '#api/names.ts';
import type { RunSuite } from '#core/run-spec.ts';
import type { SuiteRun } from '#core/suite-state.ts';
import type { Clock } from '#ports/clock.ts';
import type { Cluster, KubeObject, Resource } from '#ports/cluster.ts';
import type { JobRunner } from '#ports/job-runner.ts';
import type { PodLogs } from '#ports/pod-logs.ts';
import type { EarlierRuns, SuiteOrder, SuiteOutcome, SuiteRunner } from '#ports/suite-runner.ts';
import { type EndedJob, outcomeOfJob } from './job-outcome.ts';
import { endOf, fieldsOf, podResource, podsOf } from './job-reading.ts';

export interface JobSuiteOptions {
  readonly cluster: Pick<Cluster, 'cached' | 'cachedAll'>;
  readonly jobs: Pick<JobRunner, 'ensure'>;
  readonly logs: PodLogs;
  readonly clock: Clock;
  /** Resolves once Jobs and pods of suites in this namespace are watched. */
  readonly watched: (namespace: string, signal: AbortSignal) => Promise<void>;
}

/** The purpose of Jobs and pods of suites: what is watched. */
export const SUITE_PURPOSE = 'suite';
const SUITE = 'genesis.dev/suite';
const DUE_AT = 'genesis.dev/due-at';
/** How often the cache is looked at; no request is made for it. */
const POLL_MS = 250;
/** The pod's own end may be seen a moment after the Job's. */
const POD_WAIT_MS = 5_000;
const KEPT_MIN_SECONDS = 3600;
/** Of older ones the archive tells; a log is not read for each of them at every start. */
const EARLIER_MAX = 10;

export function createJobSuite(options: JobSuiteOptions): SuiteRunner {
  const { cluster, jobs, clock, watched } = options;

  const ended = (job: KubeObject): EndedJob | undefined => {
    const end = endOf(job);
    if (end === undefined) return undefined;
    const { name, namespace } = job.metadata;
    return { job, end, pods: podsOf(cluster.cachedAll(podResource, namespace), name) };
  };

  const wait = async (
    key: { readonly namespace: string; readonly name: string },
    suite: RunSuite,
    signal: AbortSignal,
  ): Promise<SuiteOutcome> => {
    let endSeenMs: number | undefined;
    for (;;) {
      const job = cluster.cached(jobResource, key);
      const found = job === undefined ? undefined : ended(job);
      if (found !== undefined) {
        endSeenMs ??= clock.monotonic();
        const isSeen = found.pods[0]?.isOver === true;
        if (isSeen || clock.monotonic() - endSeenMs >= POD_WAIT_MS) {
          return outcomeOfJob(options, found, suite, signal);
        }
      }
      await clock.sleep(POLL_MS, signal);
    }
  };

  return {
    async run(order, signal) {
      const { namespace = '' } = order.rollout.metadata;
      await watched(namespace, signal);
      const name = nameOf(order);
      const state = await jobs.ensure(wantedJob(order, name), signal);
      const key = { namespace, name };
      if (state.type === 'failed' && cluster.cached(jobResource, key) === undefined) {
        return { type: 'failed', message: `Job ${name} cannot be made: ${state.message}` };
      }
      return wait(key, order.suite, signal);
    },
    async earlier(rollout, suite, signal): Promise<EarlierRuns> {
      const { namespace = '', uid } = rollout.metadata;
      await watched(namespace, signal);
      const ours = cluster.cachedAll(jobResource, namespace).filter(({ metadata }) => {
        const isOwned = metadata.ownerReferences?.some((owner) => owner.uid === uid) ?? false;
        return isOwned && metadata.annotations?.[SUITE] === suite.name;
      });
      const known = ours
        .flatMap((job) => ended(job) ?? [])
        .toSorted((a, b) => a.end.atMs - b.end.atMs)
        .slice(-EARLIER_MAX);
      const runs: SuiteRun[] = [];
      for (const found of known) {
        const outcome = await outcomeOfJob(options, found, suite, signal);
        const startedAtMs = startOf(found.job);
        runs.push({ startedAtMs, finishedAtMs: found.end.atMs, outcome });
      }
      const open = ours.find((job) => endOf(job) === undefined);
      if (open === undefined) return { runs, running: undefined };
      const runId = open.metadata.labels?.[labels.run] ?? '';
      const order = { rollout, suite, runId, dueAtMs: dueOf(open) };
      return { runs, running: { startedAtMs: startOf(open), order } };
    },
  };
}

function wantedJob(order: SuiteOrder, name: string): Parameters<JobRunner['ensure']>[0] {
  const { suite, rollout, runId, dueAtMs } = order;
  const given = suite.runner.type === 'job' ? suite.runner.template : {};
  const metadata = fieldsOf(given['metadata']);
  const spec = fieldsOf(given['spec']);
  const template = fieldsOf(spec['template']);
  const podMetadata = fieldsOf(template['metadata']);
  const ownLabels = {
    [labels.rollout]: rollout.metadata.name,
    [labels.purpose]: SUITE_PURPOSE,
  };
  const jobTemplate = {
    metadata: {
      ...metadata,
      annotations: {
        ...fieldsOf(metadata['annotations']),
        [SUITE]: suite.name,
        [DUE_AT]: new Date(dueAtMs).toISOString(),
      },
    },
    spec: {
      // A suite that has failed is told, not tried again until it passes.
      backoffLimit: 0,
      ...spec,
      activeDeadlineSeconds: Math.ceil(suite.timeoutMs / 1000),
      template: {
        ...template,
        metadata: {
          ...podMetadata,
          labels: { ...fieldsOf(podMetadata['labels']), ...ownLabels },
        },
      },
    },
  };
  const keptSeconds = Math.max(
    KEPT_MIN_SECONDS,
    Math.ceil((3 * (suite.intervalMs + suite.timeoutMs)) / 1000),
  );
  return { name, jobTemplate, owner: rollout, purpose: SUITE_PURPOSE, runId, keptSeconds };
}

function nameOf({ rollout, suite, runId, dueAtMs }: SuiteOrder): string {
  const { uid = '', name } = rollout.metadata;
  const hash = createHash('sha256').update(JSON.stringify([uid, runId, suite.name, dueAtMs]));
  const words = `${name.slice(0, 25)}-${suite.name.slice(0, 25)}`.replace(/-+$/, '');
  return `${words}-${hash.digest('hex').slice(0, 10)}`;
}

/** Times of the API server have no fractions of a second: a Job is never older than the time it was due. */
function startOf(job: KubeObject): number {
  return Math.max(Date.parse(job.metadata.creationTimestamp ?? '') || 0, dueOf(job));
}

function dueOf(job: KubeObject): number {
  return Date.parse(job.metadata.annotations?.[DUE_AT] ?? '') || 0;
}

/** What is watched for suites that are Jobs. */
export const suiteResources: readonly Resource[] = [jobResource, podResource];
