import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { arbitraryBroken, arbitraryRollout, arbitrarySpec } from '#test/arbitraries.ts';
import { goodDecision } from '#test/cluster/bad-objects/good.ts';
import { parseDecision, parseRollout } from './parse.ts';
import { type SpecProblem, validateDecisionSpec, validateSpec } from './validate.ts';

test('every valid spec is accepted', () => {
  fc.assert(
    fc.property(arbitrarySpec(), (spec) => {
      assert.deepEqual(validateSpec(spec), []);
    }),
    { numRuns: 500 },
  );
});

test('defaults are stable: a parsed spec parses to itself', () => {
  fc.assert(
    fc.property(arbitraryRollout(arbitrarySpec()), (object) => {
      const once = parseRollout(object);
      assert.equal(once.type, 'ok');
      assert.deepEqual(parseRollout(once.type === 'ok' ? once.rollout : undefined), once);
    }),
    { numRuns: 200 },
  );
});

test('a damaged spec is parsed, or refused with whole sentences, and never throws', () => {
  fc.assert(
    fc.property(arbitraryRollout(arbitraryBroken()), (object) => {
      const parsed = parseRollout(object);
      const problems = validateSpec(object.spec);
      assert.equal(parsed.type === 'ok', problems.length === 0);
      for (const problem of problems) assertSentence(problem);
    }),
    { numRuns: 600 },
  );
});

test('any JSON at all is refused with whole sentences, and never throws', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (junk) => {
      for (const problem of [...validateSpec(junk), ...validateDecisionSpec(junk)])
        assertSentence(problem);
      parseRollout(junk);
      parseDecision(junk);
    }),
    { numRuns: 1000 },
  );
});

test('a decision with a random field is parsed or refused, and never throws', () => {
  const field = fc.constantFrom(...Object.keys(goodDecision.spec));
  fc.assert(
    fc.property(field, fc.jsonValue(), (name, junk) => {
      const problems = validateDecisionSpec({ ...goodDecision.spec, [name]: junk });
      for (const problem of problems) assertSentence(problem);
    }),
    { numRuns: 1000 },
  );
});

function assertSentence({ path, message, rule }: SpecProblem): void {
  assert.match(path, /^spec(\.|\[|$)/);
  assert.ok(message.startsWith('spec'), message);
  assert.ok(message.includes(': '), message);
  assert.ok(message.length > path.length + 5, message);
  assert.notEqual(rule, '');
}
