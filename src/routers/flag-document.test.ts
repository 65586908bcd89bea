/** Shares in a flagd document: found wherever flagd finds them, and written without touching another byte. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type FlagDocument, findFlag, parseFlags, writeShares } from './flag-document.ts';
import { percentOf } from './shares.ts';
import type { Refusal } from './writing.ts';

const onOff = { on: true, off: false };

function textOf(flag: object, indent: string | number = 0): string {
  return JSON.stringify({ flags: { cart: flag } }, null, indent);
}

function parseFlagDocument(text: string, flag: string, isJson: boolean): FlagDocument | Refusal {
  const document = parseFlags(text, isJson);
  return 'type' in document ? document : findFlag(document, flag);
}

function parse(text: string, isJson = true): FlagDocument {
  const document = parseFlagDocument(text, 'cart', isJson);
  assert.ok(document.type === 'flag', JSON.stringify(document));
  return document;
}

function percents(text: string, isJson = true): number[] {
  return parse(text, isJson).fractionals.map(({ shares }) => percentOf(shares));
}

function written(text: string, weight: number, isJson = true): string {
  return writeShares(text, parse(text, isJson).fractionals, weight);
}

function flag(variants: object, targeting: object): object {
  return { state: 'ENABLED', variants, defaultVariant: Object.keys(variants)[0], targeting };
}

describe('the share of canary', () => {
  const rows: readonly { says: string; flag: object; percents: number[] }[] = [
    {
      says: 'is that of the variant with value true',
      flag: flag(onOff, {
        fractional: [
          ['on', 20],
          ['off', 80],
        ],
      }),
      percents: [20],
    },
    {
      says: 'is that of the variant with value true, whatever its name',
      flag: flag(
        { new: true, old: false },
        {
          fractional: [
            ['new', 20],
            ['old', 80],
          ],
        },
      ),
      percents: [20],
    },
    {
      says: 'is that of the variant named canary before all others',
      flag: flag(
        { canary: false, stable: true },
        {
          fractional: [
            ['canary', 30],
            ['stable', 70],
          ],
        },
      ),
      percents: [30],
    },
    {
      says: 'is that of the variant named on, where the values say nothing',
      flag: flag(
        { on: 'v2', off: 'v1' },
        {
          fractional: [
            ['on', 40],
            ['off', 60],
          ],
        },
      ),
      percents: [40],
    },
    {
      says: 'is told apart from the value by which callers are divided',
      flag: flag(onOff, { fractional: [{ cat: [{ var: 'on' }, 'x'] }, ['on', 1], ['off', 3]] }),
      percents: [25],
    },
    {
      says: 'counts 1 for a bucket without a number, as in flagd',
      flag: flag(onOff, { fractional: [['on'], ['off', 3]] }),
      percents: [25],
    },
    {
      says: 'is found inside conditions, more than once',
      flag: flag(onOff, {
        if: [
          { '==': [1, { var: 'x' }] },
          {
            fractional: [
              ['on', 10],
              ['off', 90],
            ],
          },
          {
            fractional: [
              ['off', 40],
              ['on', 60],
            ],
          },
        ],
      }),
      percents: [10, 60],
    },
    {
      says: 'is of all variants, a third one too',
      flag: flag(
        { ...onOff, maybe: null },
        {
          fractional: [
            ['on', 25],
            ['off', 50],
            ['maybe', 25],
          ],
        },
      ),
      percents: [25],
    },
    {
      says: 'is summed where a variant has two buckets',
      flag: flag(onOff, {
        fractional: [
          ['on', 25],
          ['off', 50],
          ['on', 25],
        ],
      }),
      percents: [50],
    },
    {
      says: 'is not looked for where only one of the two is named',
      flag: flag(onOff, {
        if: [
          true,
          { fractional: [['on', 1]] },
          {
            fractional: [
              ['on', 9],
              ['off', 1],
            ],
          },
        ],
      }),
      percents: [90],
    },
  ];
  for (const row of rows)
    test(row.says, () => assert.deepEqual(percents(textOf(row.flag)), row.percents));

  test('stands in YAML too', () => {
    const text = `# ours\nflags:\n  cart:\n    state: ENABLED\n    variants: {on: true, off: false}\n    defaultVariant: off # not a boolean here\n    targeting:\n      fractional:\n        - [on, 20] # canary\n        - - off\n          - 80\n`;
    assert.deepEqual(percents(text, false), [20]);
    assert.equal(
      written(text, 35, false),
      text.replace('[on, 20]', '[on, 35]').replace('- 80', '- 65'),
    );
  });
});

describe('a share is written', () => {
  test('into every fractional, with the numbers that were missing', () => {
    const text = textOf(
      flag(onOff, {
        if: [
          true,
          { fractional: [['on'], ['off', 3]] },
          {
            fractional: [
              ['off', 40],
              ['on', 60],
            ],
          },
        ],
      }),
    );
    assert.equal(
      written(text, 7),
      text
        .replace('["on"]', '["on", 7]')
        .replace('["off",3]', '["off",93]')
        .replace('["off",40],["on",60]', '["off",93],["on",7]'),
    );
  });

  test('once where a variant has two buckets', () => {
    const text = textOf(
      flag(onOff, {
        fractional: [
          ['on', 25],
          ['off', 50],
          ['on', 25],
        ],
      }),
    );
    assert.equal(
      written(text, 30),
      text.replace('["on",25],["off",50],["on",25]', '["on",30],["off",70],["on",0]'),
    );
  });

  test('and every other byte stays, whatever stands around it', () => {
    const anything = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 });
    const indent = fc.constantFrom('', ' ', '  ', '\t', '      ');
    const share = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(
        anything,
        anything,
        indent,
        fc.tuple(share, share),
        (before, after, space, [from, to]) => {
          const documentAt = (weight: number) =>
            JSON.stringify(
              {
                $schema: before,
                flags: {
                  [`other ${JSON.stringify(after)}`]: after,
                  cart: {
                    metadata: before,
                    variants: onOff,
                    targeting: {
                      fractional: [{ var: after }, ['on', weight], ['off', 100 - weight]],
                    },
                    state: 'ENABLED',
                  },
                },
                rest: [after, before],
              },
              null,
              space,
            );
          assert.equal(written(documentAt(from), to), documentAt(to));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a document is refused', () => {
  const rows: readonly {
    says: string;
    text: string;
    isJson?: boolean;
    reason: string;
    message: RegExp;
  }[] = [
    {
      says: 'that is not JSON',
      text: '{"flags": {',
      reason: 'Malformed',
      message: /^is not JSON: /,
    },
    {
      says: 'that is YAML under a name that says JSON',
      text: 'flags: {cart: {}}',
      reason: 'Malformed',
      message: /^is not JSON: /,
    },
    {
      says: 'that is no YAML either',
      text: 'flags: [',
      isJson: false,
      reason: 'Malformed',
      message: /^cannot be parsed: /,
    },
    {
      says: 'that names a flag twice',
      text: '{"flags": {"cart": {}, "cart": {}}}',
      reason: 'Malformed',
      message: /^cannot be parsed: Map keys must be unique/,
    },
    {
      says: 'without flags',
      text: '{}',
      reason: 'NoSuchFlag',
      message: /has no flag "cart" under "flags"/,
    },
    {
      says: 'without this flag',
      text: '{"flags": {"card": {}}}',
      reason: 'NoSuchFlag',
      message: /has no flag "cart"/,
    },
    { says: 'that is a list', text: '[]', reason: 'NoSuchFlag', message: /has no flag "cart"/ },
    {
      says: 'without variants',
      text: textOf({ state: 'ENABLED' }),
      reason: 'UnknownVariants',
      message: /allowed are variants named canary and stable/,
    },
    {
      says: 'with variants that could be either',
      text: textOf(flag({ red: 1, blue: 2 }, {})),
      reason: 'UnknownVariants',
      message: /flag "cart"/,
    },
    {
      says: 'with two variants of value true',
      text: textOf(flag({ a: true, b: true, c: false }, {})),
      reason: 'UnknownVariants',
      message: /one of value true/,
    },
    {
      says: 'without targeting',
      text: textOf({ state: 'ENABLED', variants: onOff, defaultVariant: 'off' }),
      reason: 'NoFractional',
      message: /write \{"fractional": \[\["on", 0\], \["off", 100\]\]\}$/,
    },
    {
      says: 'with a targeting that divides between others',
      text: textOf(
        flag(
          { ...onOff, red: 1 },
          {
            fractional: [
              ['red', 1],
              ['on', 1],
            ],
          },
        ),
      ),
      reason: 'NoFractional',
      message: /names both variants/,
    },
  ];
  for (const { says, text, isJson = true, reason, message } of rows) {
    test(says, () => {
      const document = parseFlagDocument(text, 'cart', isJson);
      assert.ok(document.type === 'refused');
      assert.equal(document.reason, reason);
      assert.match(document.message, message);
    });
  }

  test('or read, but never a crash', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (text, isJson) => {
        assert.ok(['flag', 'refused'].includes(parseFlagDocument(text, 'cart', isJson).type));
      }),
      { numRuns: 500 },
    );
  });
});
