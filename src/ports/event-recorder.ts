/** What is told to people who look at an object with `kubectl describe`. */
import type { KubeObject } from './cluster.ts';

export interface EventNote {
  readonly regarding: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, declared in #api/reasons.ts. */
  readonly reason: string;
  /** What the controller did, CamelCase verb: `SetWeight`, `RollBack`. */
  readonly action: string;
  readonly note: string;
}

/** Kubernetes Events. Recording never throws and never delays a decision. */
export interface EventRecorder {
  record(note: EventNote): void;
}
