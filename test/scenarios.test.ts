/** Scenario files as a user could have written them: each runs as it expects to, with every tick and with those that matter. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { differences } from '#simulate/expectations.ts';
import { readScenario, type Scenario } from '#simulate/read-scenario.ts';
import { renderVerdict } from '#simulate/render.ts';
import { type Simulation, simulate } from '#simulate/simulate.ts';

const folder = join(import.meta.dirname, 'scenarios');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml') && !file.startsWith('rollouts'))
  .toSorted();

function load(file: string): Scenario {
  const path = join(folder, file);
  const result = readScenario({
    file: relative(process.cwd(), path),
    text: readFileSync(path, 'utf8'),
    readBeside: (other) => readFileSync(join(dirname(path), other), 'utf8'),
  });
  assert.ok(result.type === 'ok', JSON.stringify(result));
  return result.scenario;
}

function run(scenario: Scenario, everyTick: boolean): Simulation {
  const result = simulate(scenario, { everyTick });
  assert.ok(result.type === 'ok', JSON.stringify(result));
  return result;
}

/** Every tick of every scenario takes minutes: here some, in the nightly run all. */
const EVERY = process.env['GENESIS_EVERY_TICK'] === 'all' ? 1 : 8;

function comparesEveryTick(file: string): boolean {
  return files.indexOf(file) % EVERY === 0;
}

describe('scenarios', () => {
  for (const file of files) {
    test(file.replace(/[.]yaml$/, '').replaceAll('-', ' '), () => {
      const scenario = load(file);
      assert.ok(scenario.expect !== undefined, 'a scenario here says what it expects');
      const simulation = run(scenario, false);
      const found = differences(scenario, simulation);
      assert.equal(found.length, 0, renderVerdict(scenario, found));
      // What is left out must have been routine.
      if (!comparesEveryTick(file)) return;
      const whole = run(scenario, true);
      assert.deepEqual(simulation.lines, whole.lines);
      assert.deepEqual(simulation.status, whole.status);
      assert.deepEqual(simulation.records(), whole.records());
    });
  }
});
