/**
 * The page of `kubectl genesis status` in every situation, against golden files that a person can read as well:
 * `UPDATE_GOLDEN=1 npm run test:unit -- cli/page` writes them anew.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { inkFor } from '#cli/page/ink.ts';
import { pageText } from '#cli/page/page.ts';
import { rowsText } from '#cli/rollout-rows.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { type PageWorld, pageWorlds } from './page-worlds.ts';

const golden = join(import.meta.dirname, '../golden/status');
const plain = inkFor({ isTty: false, isPlain: false, env: {} });
const coloured = inkFor({ isTty: true, isPlain: false, env: {} });
const WIDTH = 80;

function page({ object, nowMs }: PageWorld, ink = plain, width = WIDTH): string {
  return pageText({ object, nowMs, width, ink, where: ' -n shop' });
}

function widest(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

describe('the page', () => {
  for (const [name, worldOf] of Object.entries(pageWorlds)) {
    test(`of a rollout that is ${name.replaceAll('-', ' ')} reads as its golden file`, () => {
      const text = page(worldOf());
      const path = join(golden, `${name}.txt`);
      if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(path, text);
      assert.equal(text, readFileSync(path, 'utf8'));
    });

    test(`of a rollout that is ${name.replaceAll('-', ' ')} is the same in colour, and fits`, () => {
      const made = worldOf();
      const text = page(made, coloured);
      assert.notEqual(text, stripVTControlCharacters(text));
      assert.equal(stripVTControlCharacters(text), page(made));
      for (const width of [60, WIDTH, 110]) {
        assert.ok(widest(page(made, plain, width)) <= width, `${width}`);
      }
    });
  }

  test('has signs of ASCII where the locale has no others', () => {
    const ink = inkFor({ isTty: false, isPlain: false, env: { LC_ALL: 'C', LANG: 'de_DE.UTF-8' } });
    const made = pageWorlds['moving'];
    assert.ok(made !== undefined);
    assert.match(page(made(), ink), /^[\n -~]*$/);
  });
});

/** Anything where something is expected: what the operator would write, and everything else. */
const scalar = fc.oneof(
  fc.string({ maxLength: 120 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(
    '2026-11-02T08:00:00Z',
    '9999-12-31T23:59:59Z',
    '0000-01-01T00:00:00Z',
    'RolledBack',
    'Progressing',
    'Pending',
    'RollingBack',
    'Step',
    'End',
    'Firing',
    'Unknown',
    'half',
    'error-rate',
    'canary-down',
    'NaN',
  ),
);
const fieldNames =
  'phase message revision runId plan weight routes step startedAt finishedAt holds triggers rollback decisions history conditions approvals checkpoints name kind dueAt passedAt reason by since severity state activeAt gapMs firingAt value unknownSince sharedUntil responses rung at action stages outcome completedAt slaDeadline decision decidedAt type status pausedBy observedGeneration runGeneration'.split(
    ' ',
  );
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...fieldNames), tie('tree'), { maxKeys: 12 }),
  ),
}));

/** A status of the engine in which a few fields have been made into anything. */
const damaged = fc
  .tuple(
    fc.constantFrom(...Object.keys(pageWorlds)),
    fc.array(fc.tuple(fc.nat(), scalar), { minLength: 1, maxLength: 6 }),
  )
  .map(([name, wounds]): KubeObject => {
    const object = structuredClone(objectOf(name));
    const status = object['status'];
    for (const [seed, value] of wounds) wound(status, seed, value);
    return object;
  });

const made = new Map<string, KubeObject>();
function objectOf(name: string): KubeObject {
  const known = made.get(name) ?? pageWorlds[name]?.().object;
  assert.ok(known !== undefined);
  made.set(name, known);
  return known;
}

function wound(target: unknown, seed: number, value: unknown): void {
  if (typeof target !== 'object' || target === null) return;
  const keys = Object.keys(target);
  const key = keys[seed % Math.max(1, keys.length)];
  if (key === undefined) return;
  const inner: unknown = Reflect.get(target, key);
  const isDeeper = typeof inner === 'object' && inner !== null && seed % 5 !== 0;
  if (isDeeper) wound(inner, Math.floor(seed / 7), value);
  else Reflect.set(target, key, value);
}

function holdsFor(object: KubeObject): void {
  const nowMs = Date.parse('2026-11-02T17:00:00Z');
  const text = page({ object, nowMs });
  assert.ok(widest(text) <= WIDTH, text);
  assert.equal(stripVTControlCharacters(text), text);
  const row = rowsText([object], { nowMs, isWide: true, isEverywhere: true, hasHead: false });
  assert.equal(row.split('\n').length, 2);
}

describe('whatever stands in a status', () => {
  test('there is a page of it, 80 columns wide, without control characters', () => {
    const whole = tree.map((status): KubeObject => ({ ...objectOf('new'), status }));
    fc.assert(fc.property(whole, holdsFor), { numRuns: 300 });
  });

  test('there is a page of a status that something has damaged', () => {
    fc.assert(fc.property(damaged, holdsFor), { numRuns: 300 });
  });

  test('there is a page whatever the spec is, and the names are', () => {
    const named = fc
      .tuple(tree, fc.string({ maxLength: 260 }), fc.string({ unit: 'binary', maxLength: 80 }))
      .map(([spec, name, namespace]): KubeObject => {
        const object = objectOf('moving');
        return { ...object, metadata: { ...object.metadata, name, namespace }, spec };
      });
    fc.assert(fc.property(named, holdsFor), { numRuns: 100 });
  });
});
