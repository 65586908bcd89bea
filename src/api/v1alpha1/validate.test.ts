import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decisionRules, rolloutRules } from '#api/rules.ts';
import { badDecisions } from '#test/cluster/bad-objects/decisions.ts';
import { badFields } from '#test/cluster/bad-objects/fields.ts';
import { goodDecision, goodRollout } from '#test/cluster/bad-objects/good.ts';
import { patched } from '#test/cluster/bad-objects/patch.ts';
import type { BadObject } from '#test/cluster/bad-objects/row.ts';
import { brokenRules } from '#test/cluster/bad-objects/rules.ts';
import { parseDecision, parseRollout } from './parse.ts';
import { type SpecProblem, validateDecisionSpec, validateSpec } from './validate.ts';

describe('the operator says of every bad object what the API server says, and names the element', () => {
  test('nothing is wrong with the good ones', () => {
    assert.deepEqual(validateSpec(goodRollout.spec), []);
    assert.deepEqual(validateDecisionSpec(goodDecision.spec), []);
  });
  for (const row of [...badFields, ...brokenRules]) {
    test(`a rollout with ${row.name}`, () => {
      assertSaid(validateSpec(patched(goodRollout, row.patch).spec), row);
    });
  }
  for (const row of badDecisions) {
    test(`a decision: ${row.name}`, () => {
      assertSaid(validateDecisionSpec(patched(goodDecision, row.patch).spec), row);
    });
  }
});

test('every rule has an object that breaks it', () => {
  const tried = new Set([...brokenRules, ...badDecisions].map((row) => row.operator.rule));
  const untried = [...rolloutRules, ...decisionRules].filter((rule) => !tried.has(rule.name));
  assert.deepEqual(untried, []);
});

test('a bad object is refused at the door, with the same problems', () => {
  const bad = patched(goodRollout, { 'spec.schedule.steps[2].weight': 90 });
  assert.deepEqual(parseRollout(bad), { type: 'invalid', problems: validateSpec(bad.spec) });
});

test('what is no object at all is refused at the door', () => {
  for (const junk of [undefined, null, 7, 'x', [], {}, { spec: null }]) {
    assert.equal(parseRollout(junk).type, 'invalid');
    assert.equal(parseDecision(junk).type, 'invalid');
  }
});

test('fields of a newer CRD are accepted and dropped', () => {
  const newer = patched(goodRollout, { 'spec.tomorrow': 1, 'spec.triggers[0].mood': 'good' });
  assert.deepEqual(parseRollout(newer), parseRollout(goodRollout));
});

function assertSaid(problems: readonly SpecProblem[], { operator }: BadObject): void {
  const said = problems.find(({ path, rule }) => path === operator.path && rule === operator.rule);
  assert.ok(
    said,
    `no problem of ${operator.rule} at ${operator.path} in ${JSON.stringify(problems, null, 1)}`,
  );
  for (const text of operator.says)
    assert.ok(said.message.includes(text), `${said.message}\nlacks: ${text}`);
}
