/** Workloads that read a feature flag only at their start, and are restarted by a mark on their pod template. */
import type { RunRestart } from '#core/run-spec.ts';
import type { WorkloadReading } from '#core/workload-reading.ts';

export type { RunRestart } from '#core/run-spec.ts';
export type { WorkloadReading } from '#core/workload-reading.ts';

export type RestartWrite =
  | { readonly type: 'done' }
  /** Somebody else wrote in between: read again and decide again. */
  | { readonly type: 'conflict'; readonly message: string }
  | { readonly type: 'refused'; readonly message: string };

export interface Workloads {
  /** From the watch cache; no request. */
  read(workload: RunRestart): WorkloadReading;
  /**
   * Writes on the pod template for which share of the flag the workload is restarted, and nothing else; its own
   * controller replaces the pods. Writes nothing where that stands there. Rejects with ClusterError when the API
   * server fails.
   */
  restart(workload: RunRestart, weight: number, signal: AbortSignal): Promise<RestartWrite>;
}
