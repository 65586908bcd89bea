import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  knownPlaceholdersPattern,
  type PlaceholderValues,
  placeholderNames,
  substitute,
  unknownPlaceholders,
  usedPlaceholders,
} from './placeholders.ts';

const values: PlaceholderValues = {
  namespace: 'shop',
  rollout: 'checkout',
  revision: 'v2',
  weight: '50',
  'arm.service': 'checkout-canary',
  'stable.service': 'checkout-stable',
  'canary.service': 'checkout-canary',
  window: '6h',
};

describe('placeholders are replaced', () => {
  for (const [text, wanted] of [
    ['up{namespace="$(namespace)"}', 'up{namespace="shop"}'],
    ['$(stable.service)/$(canary.service)', 'checkout-stable/checkout-canary'],
    ['x[$(window):1m]', 'x[6h:1m]'],
    ['$$(namespace)', '$(namespace)'],
    ['$$$(namespace)', '$$(namespace)'],
    ['code=~"5..$"', 'code=~"5..$"'],
    ['$(unknown) $( $(namespace', '$(unknown) $( $(namespace'],
    ['$(namespace)$(rollout)', 'shopcheckout'],
    ['$', '$'],
  ] as const) {
    test(text, () => assert.equal(substitute(text, values), wanted));
  }
});

test('a value cannot end the string it stands in', () => {
  const filled = substitute('up{version="$(revision)"}', {
    ...values,
    revision: '1"} or vector(0) #\\\n',
  });
  assert.equal(filled, 'up{version="1\\x22} or vector(0) #\\x5c\\x0a"}');
});

test('a value is never read as a placeholder again', () => {
  assert.equal(substitute('$(revision)', { ...values, revision: '$(namespace)' }), '$(namespace)');
});

describe('unknown placeholders are found as they were written', () => {
  for (const [text, wanted] of [
    ['$(namepsace)', ['$(namepsace)']],
    ['$(namespace', ['$(namespace']],
    ['$() $(a) $(namespace)', ['$()', '$(a)']],
    ['$(toString)', ['$(toString)']],
    ['$$(literal)', []],
    ['plain $ text', []],
  ] as const) {
    test(text, () => assert.deepEqual(unknownPlaceholders(text), wanted));
  }
});

test('the placeholders that a text uses are named in order', () => {
  assert.deepEqual(usedPlaceholders('$(window) $$(weight) $(arm.service) $(x)'), [
    'window',
    'arm.service',
  ]);
});

test('the pattern in the CRD takes exactly what the operator takes', () => {
  const piece = fc.constantFrom(
    '$',
    '(',
    ')',
    'x',
    ' ',
    '\n',
    '.',
    'namespace',
    ...placeholderNames.map((name) => `$(${name})`),
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(
      text,
      (it) =>
        new RegExp(knownPlaceholdersPattern).test(it) === (unknownPlaceholders(it).length === 0),
    ),
    { numRuns: 5000 },
  );
});

test('a text without a dollar stays as it is', () => {
  fc.assert(
    fc.property(
      fc.string().filter((it) => !it.includes('$')),
      (it) => substitute(it, values) === it,
    ),
  );
});
