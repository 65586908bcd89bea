/** A suite's result from its pod's log: JUnit XML among whatever else was written, or the sentence why there is none. */

import type { Clock } from '#ports/clock.ts';
import { ClusterError, type ObjectKey } from '#ports/cluster.ts';
import type { LogEnd, PodLogs } from '#ports/pod-logs.ts';
import { lastJunit } from './junit-log.ts';
import { excerptOfEnd } from './suite-counts.ts';

export type LogAnswer =
  | { readonly type: 'junit'; readonly text: string }
  /** `message` goes on after the log's name: "is empty". */
  | { readonly type: 'none'; readonly message: string };

/** A JUnit file of ten thousand tests has half of this. */
const BYTES_MAX = 4 * 2 ** 20;
const MIB = 2 ** 20;
const TRIES_MAX = 3;
const RETRY_MS = 1_000;
/** These may pass: a node that does not answer, a server that is busy. */
const PASSING: readonly string[] = ['unavailable', 'timeout', 'throttled'];

/** Rejects when `signal` is aborted. */
export async function junitOfLog(
  { logs, clock }: { readonly logs: PodLogs; readonly clock: Clock },
  pod: ObjectKey,
  container: string,
  signal: AbortSignal,
): Promise<LogAnswer> {
  for (let tried = 1; ; tried += 1) {
    try {
      return readLog(await logs.podLog(pod, container, { bytesMax: BYTES_MAX, signal }));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ClusterError)) throw error;
      const isPassing = PASSING.includes(error.fault);
      if (!isPassing || tried >= TRIES_MAX) return none(refusalOf(error, pod));
    }
    await clock.sleep(RETRY_MS * tried, signal);
  }
}

function readLog({ text, hasStart, hasEnd }: LogEnd): LogAnswer {
  if (!hasEnd) return none('is longer than anybody reads to its end');
  if (text.trim() === '') return none('is empty');
  const found = lastJunit(text);
  const end = `it ends with ${JSON.stringify(excerptOfEnd(text))}`;
  switch (found.type) {
    case 'document':
      return { type: 'junit', text: found.text };
    case 'cut':
      return none(`has JUnit XML that is cut: <${found.element}> does not end; ${end}`);
    default: {
      const where = hasStart ? '' : ` in its last ${BYTES_MAX / MIB} MiB`;
      return none(
        `has no JUnit XML${where}, which begins with <testsuites> or <testsuite> at the start of a line; ${end}`,
      );
    }
  }
}

function refusalOf({ fault, message }: ClusterError, { namespace }: ObjectKey): string {
  switch (fault) {
    case 'forbidden':
      return `may not be read: the operator lacks the right to get pods/log in namespace ${namespace}, which the chart gives with rbac.allow.podLogs (${message})`;
    case 'notFound':
      return `is gone with its pod (${message})`;
    default:
      return `cannot be read: ${message}`;
  }
}

function none(message: string): LogAnswer {
  return { type: 'none', message };
}
