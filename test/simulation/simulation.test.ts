/** Seeded worlds against the five invariants. `npm run nightly -- --seeds N --first S` runs others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shortcuts } from '#test/stands.ts';
import { type Outcome, simulate } from './simulation.ts';

test('the engine and the shell keep their invariants in every seeded world', async () => {
  const count = 100;
  const outcomes: Outcome[] = [];
  for (let seed = 1; seed <= count; seed += 1) outcomes.push(await simulate(seed));
  const total = (figure: 'kills' | 'raises' | 'rollbacks') =>
    outcomes.reduce((sum, outcome) => sum + outcome[figure], 0);
  // Worlds in which nothing happens would prove nothing.
  assert.ok(total('kills') > count / 10, `${total('kills')} kills`);
  assert.ok(total('rollbacks') > count / 10, `${total('rollbacks')} rollbacks`);
  assert.ok(total('raises') > count, `${total('raises')} raises`);
  assert.ok(
    shortcuts.taken > count,
    `${shortcuts.taken} decisions that stood, each held to the long way`,
  );
  assert.ok(outcomes.some((outcome) => outcome.phase === 'Succeeded'));
  assert.ok(outcomes.some((outcome) => outcome.phase === 'RolledBack'));
});
