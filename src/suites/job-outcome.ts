/**
 * What came of a Job that has ended: the termination message of its newest pod that holds a result, or else JUnit XML on
 * that pod's log. The exit code of a runner whose tests fail is no crash.
 */
import type { RunSuite } from '#core/run-spec.ts';
import type { Clock } from '#ports/clock.ts';
import type { KubeObject } from '#ports/cluster.ts';
import type { PodLogs } from '#ports/pod-logs.ts';
import type { SuiteOutcome } from '#ports/suite-runner.ts';
import type { ContainerEnd, JobEnd, PodEnd } from './job-reading.ts';
import { junitOfLog } from './pod-log.ts';
import { readOutcome } from './suite-report.ts';

export interface EndedJob {
  readonly job: KubeObject;
  readonly end: JobEnd;
  /** The newest first. */
  readonly pods: readonly PodEnd[];
}

interface Reader {
  readonly logs: PodLogs;
  readonly clock: Clock;
}

const EXPECTED =
  'expected is a result as JSON in the termination message, or as JUnit XML on the log';

export async function outcomeOfJob(
  reader: Reader,
  { job, end, pods }: EndedJob,
  suite: RunSuite,
  signal: AbortSignal,
): Promise<SuiteOutcome> {
  const messages = pods
    .flatMap(({ containers }) => containers)
    .filter(({ message }) => message.trim() !== '');
  const told = messages.map(({ message }) => readOutcome(message, suite.knownFlaky));
  const done = told.find(({ type }) => type === 'done');
  if (done !== undefined) return done;
  const { name, namespace = '' } = job.metadata;
  const why = end.isFailed ? `has failed: ${end.message}` : 'has ended';
  const failed = (words: string): SuiteOutcome => ({
    type: 'failed',
    message: `Job ${name} ${why}, ${words}; ${EXPECTED}`,
  });
  const [pod] = pods;
  const container = pod && containerOf(pod);
  if (pod === undefined || container === undefined) {
    return failed('and no container of it is known to have ended');
  }
  const [wrong] = told;
  const message =
    wrong?.type === 'failed'
      ? `its pod's termination message is no result (${wrong.message})`
      : 'its pod has left no termination message';
  const answer = await junitOfLog(reader, { namespace, name: pod.name }, container.name, signal);
  const log = `the log of its container ${container.name}`;
  if (answer.type === 'none') return failed(`${message}, and ${log} ${answer.message}`);
  const outcome = readOutcome(answer.text, suite.knownFlaky);
  if (outcome.type === 'done') return outcome;
  return failed(`${message}, and ${log} has JUnit XML that is no result (${outcome.message})`);
}

/** The one that the pod names, or else the one that ended last; of several that ended together the first. */
function containerOf({ containers, named }: PodEnd): ContainerEnd | undefined {
  const last = containers.toSorted((a, b) => b.atMs - a.atMs)[0];
  return containers.find(({ name }) => name === named) ?? last;
}
