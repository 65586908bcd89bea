/** A rollout at 50 % whose canary begins to fail: the trigger fires a minute later, and what follows is the test's. */
import type { RolloutSpecInput } from '#api/rollout.ts';
import { errorsTrigger, MINUTE, T0 } from './builders.ts';
import { EngineHarness, type HarnessOptions } from './engine-harness.ts';

/** When canary begins to fail: at 50 % for half an hour. */
export const START = T0 + 90 * MINUTE;
/** When its trigger has held. */
export const decidedAt = START + MINUTE;

const triggers: RolloutSpecInput['triggers'] = [{ ...errorsTrigger, for: '1m' }];

export const isCanary = (query: string) => query.includes('"new"');
/** As a status writes a time. */
export const at = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');

/** At START; what the options say of spec and world stands in place of what is said here. */
export function failingCanary(options: HarnessOptions = {}): EngineHarness {
  const run = new EngineHarness({
    ...options,
    spec: { triggers, ...options.spec },
    world: {
      series: (query, atMs) => (isCanary(query) && atMs >= START ? 1 : 0),
      ...options.world,
    },
  });
  run.runUntil(START);
  return run;
}
