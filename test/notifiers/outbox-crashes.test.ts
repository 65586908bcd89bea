/**
 * Over any mix of crashes, failing channels and a failing store: everything is told at least once, in order, and what is
 * told again has the same id. The course of the run is a list of states; each is looked at until the channel has it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import type { RolloutStatus } from '#api/status.ts';
import { toIso } from '#core/time.ts';
import { SECOND } from '#test/builders.ts';
import { OutboxWorld } from './outbox-world.ts';

const start = Date.UTC(2026, 10, 22, 0, 0, 1);
const at = (ms: number) => toIso(start + ms);

const base: RolloutStatus = {
  runId: 'run-1',
  revision: 'v2',
  startedAt: at(0),
  phase: 'Progressing',
};
const trigger = { name: 'errors', severity: 'Critical', message: 'errors 7% > 0.5%' };
const passed = { name: 'half', kind: 'Step', dueAt: at(0), passedAt: at(10), weight: 50 };
const back = {
  trigger: 'errors',
  reason: 'TriggerFired',
  message: 'errors 7% > 0.5%',
  startedAt: at(30),
  slaDeadline: at(900_000),
  stages: [],
};
const fired = {
  ...base,
  plan: [passed],
  triggers: [{ ...trigger, state: 'Firing', firingAt: at(30) }],
};

/** The states of a run that is rolled back, as they are written one after the other. */
const course: readonly RolloutStatus[] = [
  base,
  { ...base, plan: [passed] },
  { ...base, plan: [passed], triggers: [{ ...trigger, state: 'Pending', activeAt: at(20) }] },
  fired,
  { ...fired, phase: 'RollingBack', rollback: back },
  {
    ...fired,
    phase: 'RolledBack',
    finishedAt: at(60),
    rollback: { ...back, completedAt: at(60), withinSla: true, outcome: 'Succeeded' },
  },
];

const expected = [
  'RunStarted',
  'StepEntered',
  'TriggerPending',
  'TriggerFiring',
  'RollbackStarted',
  'RollbackFinished',
];

type Trouble =
  | 'crash'
  | 'channelFails'
  | 'channelHangs'
  | 'channelWorks'
  | 'storeFails'
  | 'storeWorks'
  | 'wait';

const troubles = fc.array(
  fc.record({
    trouble: fc.constantFrom<Trouble>(
      'crash',
      'channelFails',
      'channelHangs',
      'channelWorks',
      'storeFails',
      'storeWorks',
      'wait',
    ),
    waitMs: fc.integer({ min: 0, max: 20_000 }),
  }),
  { maxLength: 20 },
);

function apply(world: OutboxWorld, trouble: Trouble): void {
  const channel = world.channel();
  if (trouble === 'crash') world.crash();
  if (trouble === 'channelFails') channel.behaviour = { type: 'later', message: '503' };
  if (trouble === 'channelHangs') channel.behaviour = 'hang';
  if (trouble === 'channelWorks') channel.behaviour = { type: 'sent', answer: 'ok' };
  if (trouble === 'storeFails') world.store.trouble = 'fails';
  if (trouble === 'storeWorks') world.store.trouble = 'none';
}

type Plan = readonly (readonly { readonly trouble: Trouble; readonly waitMs: number }[])[];

/** The whole course with these troubles in each of its states; in the end all works again. */
async function troubled(plan: Plan): Promise<OutboxWorld> {
  const world = new OutboxWorld();
  for (const [index, state] of course.entries()) {
    world.look(state);
    for (const { trouble, waitMs } of plan[index] ?? []) {
      apply(world, trouble);
      world.look(state);
      await world.pass(waitMs);
    }
  }
  world.channel().behaviour = { type: 'sent', answer: 'ok' };
  world.store.trouble = 'none';
  return world;
}

describe('over crashes and failures', () => {
  test('everything that the last state still says is told, and a repetition has the same id', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(troubles, { minLength: course.length, maxLength: course.length }),
        async (plan) => {
          const world = await troubled(plan);
          const last = course.at(-1) ?? base;
          world.look(last);
          await world.pass(600 * SECOND);
          const { sent } = world.channel();
          const kinds = new Set<string>(sent.map(({ kind }) => kind));
          // A state that was gone before anything could be kept of it may be missing; what still stands may not.
          for (const kind of expected.filter((one) => one !== 'TriggerPending')) {
            assert.ok(kinds.has(kind), `${kind} was not told`);
          }
          for (const kind of kinds) {
            const ids = new Set(sent.filter((one) => one.kind === kind).map(({ id }) => id));
            assert.equal(ids.size, 1, `${kind} has several ids`);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('without crashes everything is told once, whatever channel and store do', async () => {
    const calm = troubles.map((all) => all.filter(({ trouble }) => trouble !== 'crash'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(calm, { minLength: course.length, maxLength: course.length }),
        async (plan) => {
          const world = await troubled(plan);
          await world.pass(600 * SECOND);
          assert.deepEqual(
            world.channel().sent.map(({ kind }) => kind),
            expected,
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  for (let kill = 0; kill <= 40; kill += 1) {
    test(`a process that dies ${kill * 25} ms after a firing repeats nothing that was kept, and loses nothing`, async () => {
      const world = new OutboxWorld();
      world.look(base);
      await world.pass(5 * SECOND);
      world.look(fired);
      await world.pass(kill * 25);
      world.crash();
      world.look(fired);
      await world.pass(60 * SECOND);
      const told = world.channel().sent.filter(({ kind }) => kind === 'TriggerFiring');
      assert.ok(told.length >= 1 && told.length <= 2, `${told.length} times`);
      assert.equal(new Set(told.map(({ id }) => id)).size, 1);
      assert.equal(world.told().filter((one) => one === 'RunStarted').length, 1);
      // Half a second after it was sent it is kept.
      if (kill * 25 > 1_000) assert.equal(told.length, 1);
    });
  }
});
