/** Jobs that run once: created under a name that is the same for everyone who asks, and read back. */
import type { JobState } from '#core/snapshot.ts';
import type { KubeObject, ObjectKey } from './cluster.ts';

export type { JobState } from '#core/snapshot.ts';

export interface WantedJob {
  /** The name of the Job; its namespace is the owner's. */
  readonly name: string;
  /** A JobTemplateSpec of batch/v1, as a user wrote it. */
  readonly jobTemplate: Readonly<Record<string, unknown>>;
  readonly owner: KubeObject;
  /** What it is for: the value of the label `genesis.dev/purpose`. */
  readonly purpose: string;
  readonly runId: string;
  /** How long it stays once it has ended, whatever the template says; undefined: for a day at least. */
  readonly keptSeconds?: number;
}

/** A Job that the API server refuses for good is a failed one; other failures reject with ClusterError. */
export interface JobRunner {
  /** Creates the Job unless there is one of that name, whoever made it and however it ended. */
  ensure(job: WantedJob, signal: AbortSignal): Promise<JobState>;
  /** Undefined when there is none. */
  state(key: ObjectKey, signal: AbortSignal): Promise<JobState | undefined>;
}
