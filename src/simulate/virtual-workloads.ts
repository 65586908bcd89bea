/** Workloads of a virtual cluster that are restarted with the flag, each as long as the world says. */
import type { Action } from '#core/decision.ts';
import type { RunRestart } from '#core/run-spec.ts';
import type { RestartObservation } from '#core/snapshot.ts';
import type { WorkloadReading } from '#core/workload-reading.ts';

export interface VirtualWorkload {
  readonly name: string;
  mode: 'read' | 'missing' | 'refused' | 'unknown';
  mark: number | undefined;
  /** Until then old pods are left. */
  rolledOutAtMs: number;
  /** How long its pods take to be replaced. */
  tookMs: number;
  obstacle: string | undefined;
  /** How often its template was changed. */
  restarts: number;
}

const TOOK_MS = 20_000;

export class VirtualWorkloads {
  readonly all = new Map<string, VirtualWorkload>();

  /** The workload of this name, made as it is first asked for. */
  of(name: string): VirtualWorkload {
    const known = this.all.get(name);
    if (known !== undefined) return known;
    const made: VirtualWorkload = {
      name,
      mode: 'read',
      mark: undefined,
      rolledOutAtMs: 0,
      tookMs: TOOK_MS,
      obstacle: undefined,
      restarts: 0,
    };
    this.all.set(name, made);
    return made;
  }

  observe(workloads: readonly RunRestart[], nowMs: number): RestartObservation[] {
    return workloads.map((workload) => ({ workload, reading: this.#read(workload.name, nowMs) }));
  }

  restart({ workload, weight }: Extract<Action, { type: 'Restart' }>, nowMs: number): void {
    const one = this.of(workload.name);
    if (one.mode === 'missing' || one.mark === weight) return;
    one.mark = weight;
    one.rolledOutAtMs = nowMs + one.tookMs;
    one.restarts += 1;
  }

  /** The last pod is replaced: the watch tells of it. */
  nextEndAfter(nowMs: number): number | undefined {
    const ends = [...this.all.values()].map((one) => one.rolledOutAtMs);
    const later = ends.filter((endMs) => endMs > nowMs);
    return later.length === 0 ? undefined : Math.min(...later);
  }

  /** What a decision may change. */
  get state(): readonly unknown[] {
    return [...this.all.values()].flatMap(({ mark, restarts }) => [mark, restarts]);
  }

  #read(name: string, nowMs: number): WorkloadReading {
    const { mode, mark, rolledOutAtMs, obstacle } = this.of(name);
    if (mode === 'unknown') return { type: 'unknown' };
    if (mode !== 'read') return { type: mode, message: `${name} is ${mode}` };
    const isRolledOut = nowMs >= rolledOutAtMs && obstacle === undefined;
    return { type: 'read', mark, isRolledOut, obstacle };
  }
}
