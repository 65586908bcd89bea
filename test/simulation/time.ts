/** Simulated time. A process may read a wall clock that is off; the world itself never is. */
import type { Clock } from '#ports/clock.ts';

export interface SimTime {
  /** True time, ms since the epoch. */
  nowMs: number;
  /** What the operator's wall clock is off by. */
  offMs: number;
}

export function systemTimeOf(time: SimTime): Clock {
  return {
    now: () => time.nowMs + time.offMs,
    monotonic: () => time.nowMs,
    sleep: () => Promise.reject(new Error('nothing sleeps in the simulation')),
    after: () => () => undefined,
  };
}
