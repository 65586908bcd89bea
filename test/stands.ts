/** Every shortcut that the engine takes is held to the long way: a look that remembers nothing must decide the same. */
import assert from 'node:assert/strict';
import { decide, openQuestions } from '#core/decide.ts';
import type { Decision } from '#core/decision.ts';
import type { Snapshot } from '#core/snapshot.ts';

/** How often the shortcut has been taken in this process: a proof of none proves nothing. */
export const shortcuts = { taken: 0 };

export function assertStands(snapshot: Snapshot, decision: Decision): void {
  if (decision.isRepeated !== true) return;
  shortcuts.taken += 1;
  const alone: Snapshot = { ...snapshot, last: undefined };
  assert.deepEqual(openQuestions(alone), [], 'the long way asks no more than the shortcut');
  assert.deepEqual(essence(decide(alone)), essence(decision));
}

/** All that anything follows from. What is said is drawn up again only when something changes. */
function essence({ because, isRepeated: _, ...rest }: Decision) {
  const { nextMomentMs = Infinity, nextTurnMs = Infinity, triggers, ...decided } = rest;
  const readings = triggers.map(({ status, reading, readAtMs, wakeAtMs }) => {
    const known = reading?.type === 'value' ? reading.value : reading;
    return { status, known, readAtMs, wakeAtMs };
  });
  return { ...decided, nextMomentMs, nextTurnMs, readings, reason: because.reason };
}
