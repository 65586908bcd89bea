import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { decisionCrd, rolloutCrd } from './crd.ts';
import { toStructural } from './structural.ts';

describe('a zod schema becomes a structural schema', () => {
  test('defaults and bounds stay, and fields with a default are not required', () => {
    const schema = z.object({
      name: z.string().max(9).describe('A name.'),
      count: z.int().min(1).max(3).default(2),
    });
    assert.deepEqual(toStructural(schema), {
      type: 'object',
      required: ['name'],
      properties: {
        name: { description: 'A name.', type: 'string', maxLength: 9 },
        count: { type: 'integer', default: 2, minimum: 1, maximum: 3 },
      },
    });
  });

  test('a parent with defaults below it gets an empty default, or theirs would never be applied', () => {
    const schema = z.object({ inner: z.object({ a: z.string().default('x') }).prefault({}) });
    assert.deepEqual(Reflect.get(Object(toStructural(schema)['properties']), 'inner'), {
      type: 'object',
      default: {},
      properties: { a: { type: 'string', default: 'x' } },
    });
  });

  test('an empty list is no default', () => {
    const schema = z.object({ list: z.array(z.string()).default([]) });
    assert.deepEqual(Reflect.get(Object(toStructural(schema)['properties']), 'list'), {
      type: 'array',
      items: { type: 'string' },
    });
  });

  test('a time keeps its format without a pattern', () => {
    assert.deepEqual(toStructural(z.iso.datetime()), { type: 'string', format: 'date-time' });
  });

  test("somebody else's object is kept as it is", () => {
    const schema = z
      .record(z.string(), z.unknown())
      .meta({ 'x-kubernetes-preserve-unknown-fields': true });
    assert.deepEqual(toStructural(schema), {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
    });
  });
});

describe('what the API server would refuse stops the generator', () => {
  for (const [name, schema, says] of [
    ['a union', z.union([z.string(), z.int()]), /anyOf is not structural/],
    ['a nullable field', z.string().nullable(), /is not structural/],
    ['a field of any type', z.object({ a: z.any() }), /\$\.a: no type/],
    ['a fraction', z.object({ a: z.number() }), /\$\.a: floating point/],
    ['a pattern that looks ahead', z.string().regex(/^(?!a)b/), /is not RE2/],
    ['a date', z.date(), /Date cannot be represented/],
  ] as const) {
    test(name, () => assert.throws(() => toStructural(schema), says));
  }
});

describe('the CRDs', () => {
  for (const crd of [rolloutCrd(), decisionCrd()]) {
    const { openAPIV3Schema: root } = crd.spec.versions[0]?.schema ?? assert.fail();

    test(`${crd.spec.names.kind}: no rule stands at the root or in status`, () => {
      assert.ok(!('x-kubernetes-validations' in root));
      assert.doesNotMatch(
        JSON.stringify(root.properties.status),
        /x-kubernetes-validations|"(enum|pattern|maxItems|maxLength|minimum)":/,
      );
    });

    test(`${crd.spec.names.kind}: every field has a meaning`, () => {
      for (const part of ['spec', 'status'] as const) assertDescribed(root.properties[part], part);
    });

    // kubectl apply keeps the whole object in an annotation, and all annotations have 256 KiB.
    test(`${crd.spec.names.kind}: small enough for a client-side apply`, () => {
      assert.ok(JSON.stringify(crd).length < 200_000);
    });
  }
});

function assertDescribed(schema: unknown, path: string): void {
  if (typeof schema !== 'object' || schema === null) return;
  const properties: unknown = Reflect.get(schema, 'properties');
  for (const [name, field] of Object.entries(properties ?? {})) {
    assert.ok(Reflect.get(field, 'description'), `${path}.${name} has no description`);
    assertDescribed(field, `${path}.${name}`);
  }
  assertDescribed(Reflect.get(schema, 'items'), `${path}[]`);
}
