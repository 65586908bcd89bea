/** The live picture: what stands where, that it fits, and which changes are worth a line. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { coloured, paintFor, plain } from './paint.ts';
import { createScreen } from './screen.ts';
import { describeChanges, renderTimeline, type View } from './timeline.ts';

const startMs = Date.parse('2026-01-01T12:00:00.000Z');
const at = (seconds: number) => startMs + seconds * 1_000;

function view(changes: Partial<View> = {}): View {
  return {
    title: 'Run 2',
    nowMs: at(40.2),
    startedAtMs: startMs,
    phase: 'Progressing',
    message: 'next is full (100%)',
    points: [
      { name: 'dark', weight: 0, dueAtMs: at(0), passedAtMs: at(0.4) },
      { name: 'half', weight: 50, dueAtMs: at(25), passedAtMs: at(25.1) },
      { name: 'full', weight: 100, dueAtMs: at(65), passedAtMs: undefined },
      { name: 'end', weight: undefined, dueAtMs: at(100), passedAtMs: undefined },
    ],
    asked: 50,
    onRoute: 50,
    measured: { percent: 49.6, requestsPerSecond: 200, failedPercent: 9.8 },
    triggers: [
      {
        name: 'error-rate',
        state: 'Pending',
        value: '19.7%',
        rule: '> 0.5% for 5s',
        firesAtMs: at(43.5),
      },
      {
        name: 'latency',
        state: 'Inactive',
        value: '9ms',
        rule: '> 500ms for 10s',
        firesAtMs: undefined,
      },
    ],
    decisions: [{ atMs: at(25.1), text: 'step half reached' }],
    ...changes,
  };
}

describe('the picture', () => {
  test('shows plan, weights, measurement, triggers with countdowns and decisions', () => {
    assert.deepEqual(renderTimeline(view(), 100, plain), [
      'Run 2   0:40',
      '',
      'plan       ✔ dark 0%   ✔ half 50%   ▸ full 100% in 25 s   · end',
      'asked         50% █████████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░',
      'route         50% █████████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░',
      'measured    49.6% █████████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░ 200 req/s 9.8% fail',
      'phase      Progressing  next is full (100%)',
      'triggers   error-rate   Pending     19.7%  > 0.5% for 5s, fires in 3.3 s',
      '           latency      Inactive      9ms  > 500ms for 10s',
      'decisions  0:25  step half reached',
    ]);
  });

  test('before the operator has spoken nothing is made up', () => {
    const lines = renderTimeline(
      view({
        startedAtMs: undefined,
        points: [],
        asked: undefined,
        onRoute: undefined,
        triggers: [],
        decisions: [],
      }),
      100,
      plain,
    );
    assert.deepEqual(lines.slice(0, 5), [
      'Run 2   0:00',
      '',
      'plan       not started',
      'asked           –',
      'route           –',
    ]);
  });

  test('a point that should have come by now is due', () => {
    const [, , plan] = renderTimeline(view({ nowMs: at(66) }), 100, plain);
    assert.match(plan ?? '', /▸ full 100% due/);
  });

  test('after a rollback nothing of the plan is due any more, and an empty bar is still a bar', () => {
    const back = view({ phase: 'RolledBack', asked: 0, onRoute: 0 });
    const [, , plan, asked] = renderTimeline(back, 100, plain);
    assert.equal(plan, 'plan       ✔ dark 0%   ✔ half 50%   ✘ full 100%   ✘ end');
    assert.equal(asked, `asked          0% ${'░'.repeat(50)}`);
  });

  for (const columns of [40, 60, 80, 200]) {
    test(`fits into ${columns} columns, so that a redraw never wraps`, () => {
      const long = view({ message: 'x'.repeat(300), title: 'y'.repeat(300) });
      for (const line of renderTimeline(long, columns, plain)) {
        assert.ok(line.length < columns, `${line.length}: ${line}`);
      }
    });
  }

  test('colour changes nothing but colour', () => {
    const escape = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*m`, 'g');
    const text = renderTimeline(view(), 100, coloured).join('\n');
    assert.match(text, escape);
    assert.equal(text.replaceAll(escape, ''), renderTimeline(view(), 100, plain).join('\n'));
  });
});

describe('colour', () => {
  const rows = [
    ['a terminal', true, undefined, coloured],
    ['a terminal with an empty NO_COLOR', true, '', coloured],
    ['a terminal with NO_COLOR', true, '1', plain],
    ['a pipe', false, undefined, plain],
  ] as const;
  for (const [name, isTTY, noColor, wanted] of rows) {
    test(`${name} ${wanted === coloured ? 'has' : 'has none'}`, () => {
      assert.equal(paintFor({ isTTY }, noColor), wanted);
    });
  }
});

describe('lines for a pipe', () => {
  test('the first view tells all there is', () => {
    assert.deepEqual(describeChanges(undefined, view()), [
      '0:25  step half reached',
      '0:40  phase Progressing: next is full (100%)',
      '0:40  route gives canary 50%',
      '0:40  trigger error-rate is Pending at 19.7% (> 0.5% for 5s), fires in 3.3 s',
      '0:40  trigger latency is Inactive at 9ms (> 500ms for 10s)',
    ]);
  });

  test('figures that merely move tell nothing', () => {
    const later = view({
      nowMs: at(42),
      message: 'another sentence',
      measured: { percent: 50.3, requestsPerSecond: 199, failedPercent: 9 },
    });
    assert.deepEqual(describeChanges(view(), later), []);
  });

  test('every ten seconds the figures are told', () => {
    assert.deepEqual(describeChanges(view({ nowMs: at(49.9) }), view({ nowMs: at(50.1) })), [
      '0:50  asked 50%, route 50%, customers 49.6%; 200 req/s, 9.8% fail; full in 15 s',
    ]);
  });

  test('a trigger that fires, a new phase, a new weight and a new decision each tell a line', () => {
    const [errorRate, latency] = view().triggers;
    assert.ok(errorRate !== undefined && latency !== undefined);
    const later = view({
      nowMs: at(44),
      phase: 'RollingBack',
      message: 'rolling back',
      onRoute: 0,
      triggers: [{ ...errorRate, state: 'Firing' }, latency],
      decisions: [...view().decisions, { atMs: at(43.6), text: 'error-rate fires' }],
    });
    assert.deepEqual(describeChanges(view(), later), [
      '0:43  error-rate fires',
      '0:44  phase RollingBack: rolling back',
      '0:44  route gives canary 0%',
      '0:44  trigger error-rate is Firing at 19.7% (> 0.5% for 5s)',
    ]);
  });
});

describe('the screen', () => {
  const record = (isTTY: boolean) => {
    const written: string[] = [];
    const output = { isTTY, columns: 100, write: (text: string) => written.push(text) };
    return { written, screen: createScreen(output, plain) };
  };
  const up = (lines: number) =>
    `${String.fromCodePoint(27)}[${lines}A${String.fromCodePoint(27)}[J`;

  test('a terminal is redrawn in place, and left alone once settled', () => {
    const { written, screen } = record(true);
    screen.show(view());
    screen.show(view());
    screen.settle();
    screen.show(view());
    const picture = `${renderTimeline(view(), 100, plain).join('\n')}\n`;
    assert.deepEqual(written, [picture, up(10) + picture, '\n', picture]);
  });

  test('a sentence replaces the picture, which comes back below it', () => {
    const { written, screen } = record(true);
    screen.show(view());
    screen.say('hello');
    screen.show(view());
    assert.equal(written[1], `${up(10)}hello\n`);
    assert.ok(written[2]?.startsWith('Run 2'));
  });

  test('a pipe gets no codes, a title once a run, and nothing twice', () => {
    const { written, screen } = record(false);
    screen.show(view());
    screen.show(view());
    assert.equal(written.length, 1 + describeChanges(undefined, view()).length);
    assert.equal(written[0], '\nRun 2\n');
    assert.doesNotMatch(written.join(''), new RegExp(String.fromCodePoint(27)));
  });
});
