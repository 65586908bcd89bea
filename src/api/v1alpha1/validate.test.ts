import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decisionRules, rolloutRules } from '#api/rules.ts';
import { badDecisions } from '#test/cluster/bad-objects/decisions.ts';
import { badFields } from '#test/cluster/bad-objects/fields.ts';
import { goodDecision, goodRollout } from '#test/cluster/bad-objects/good.ts';
import { absent, type Patch, patched } from '#test/cluster/bad-objects/patch.ts';
import type { BadObject } from '#test/cluster/bad-objects/row.ts';
import { brokenRules } from '#test/cluster/bad-objects/rules.ts';
import { parseDecision, parseRollout } from './parse.ts';
import { type SpecProblem, validateDecisionSpec, validateSpec } from './validate.ts';

const noServices: Patch = {
  'spec.traffic.routes': absent,
  'spec.traffic.stable': absent,
  'spec.traffic.canary': absent,
};

const operatorOnly: readonly Omit<BadObject, 'server'>[] = [
  {
    name: 'a time zone that is none',
    patch: { 'spec.schedule.freeze[0].timeZone': 'Mars/Olympus' },
    operator: {
      path: 'spec.schedule.freeze[0].timeZone',
      rule: 'time-zone-known',
      says: ['(weekend)', '"Mars/Olympus" is not a time zone of the IANA database'],
    },
  },
  {
    name: 'a regular expression that is none',
    patch: { 'spec.healthSuites[0].knownFlaky[0]': '^test_(' },
    operator: {
      path: 'spec.healthSuites[0].knownFlaky[0]',
      rule: 'known-flaky-is-pattern',
      says: ['(smoke)', '"^test_(" is not a regular expression', 'Unterminated group'],
    },
  },
  {
    name: 'a query that asks for a Service where there is only a flag',
    patch: noServices,
    operator: {
      path: 'spec.analysis.metrics[0].ratio.bad',
      rule: 'service-placeholders-need-services',
      says: ['(error-rate)', '$(arm.service) needs traffic.stable and traffic.canary, or workload'],
    },
  },
];

describe('the operator says of every bad object what the API server says, and names the element', () => {
  test('nothing is wrong with the good ones', () => {
    assert.deepEqual(validateSpec(goodRollout.spec), []);
    assert.deepEqual(validateDecisionSpec(goodDecision.spec), []);
  });
  for (const row of [...badFields, ...brokenRules]) {
    test(`a rollout with ${row.name}`, () => {
      assertSaid(validateSpec(patched(goodRollout, row.patch).spec), row.operator);
    });
  }
  for (const row of badDecisions) {
    test(`a decision: ${row.name}`, () => {
      assertSaid(validateDecisionSpec(patched(goodDecision, row.patch).spec), row.operator);
    });
  }
});

describe('the operator says what the API server cannot', () => {
  for (const { name, patch, operator } of operatorOnly) {
    test(name, () => assertSaid(validateSpec(patched(goodRollout, patch).spec), operator));
  }
});

test('every rule has an object that breaks it', () => {
  const rows = [...brokenRules, ...badDecisions, ...operatorOnly];
  const tried = new Set(rows.map((row) => row.operator.rule));
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

function assertSaid(problems: readonly SpecProblem[], operator: BadObject['operator']): void {
  const said = problems.find(({ path, rule }) => path === operator.path && rule === operator.rule);
  assert.ok(
    said,
    `no problem of ${operator.rule} at ${operator.path} in ${JSON.stringify(problems, null, 1)}`,
  );
  for (const text of operator.says)
    assert.ok(said.message.includes(text), `${said.message}\nlacks: ${text}`);
}
