/** Readings: what an answer of Prometheus means, row by row as engine.md has them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answer, Ask, QueryFault, Sample } from './answer.ts';
import { type FilledMeasure, fillMeasure, type Reading, readAt, readWindow } from './reading.ts';

const AT = 1_000_000;
const query: FilledMeasure = { type: 'query', query: 'q', series: undefined };
const ratio: FilledMeasure = { type: 'ratio', bad: 'bad', total: 'total', series: undefined };

/** A number is one series of that value; a list several; an object an error. */
type Says = number | 'absent' | readonly Sample[] | { readonly fault: QueryFault };

function answer(says: Says): Answer {
  if (typeof says === 'object' && 'fault' in says) {
    return { type: 'error', fault: says.fault, message: says.fault };
  }
  const one = { labels: {}, atMs: AT };
  const samples =
    says === 'absent' ? [] : typeof says === 'number' ? [{ ...one, value: says }] : says;
  return { type: 'samples', samples, skewMs: undefined };
}

function queryOf(question: Parameters<Ask>[0]): string {
  return 'query' in question ? question.query : '';
}

function read(measure: FilledMeasure, says: Readonly<Record<string, Says>>): Reading | undefined {
  return readAt(measure, AT, (question) => {
    const said = says[queryOf(question)];
    return said === undefined ? undefined : answer(said);
  });
}

const two: readonly Sample[] = [
  { labels: { service: 'a' }, value: 1, atMs: AT },
  { labels: { service: 'b' }, value: 2, atMs: AT },
];

const queries: readonly {
  name: string;
  says: Says;
  series?: Record<string, string>;
  is: string | number;
}[] = [
  { name: 'one series is its value', says: 0.07, is: 0.07 },
  {
    name: 'an infinite value is a value',
    says: Number.POSITIVE_INFINITY,
    is: Number.POSITIVE_INFINITY,
  },
  { name: 'nothing is no data, not zero', says: 'absent', is: 'noData' },
  { name: 'NaN is no data', says: Number.NaN, is: 'noData' },
  { name: 'a partial answer is no data', says: { fault: 'partial' }, is: 'noData' },
  {
    name: 'a server that is not there is an error',
    says: { fault: 'unreachable' },
    is: 'error unreachable',
  },
  { name: 'a timeout is an error', says: { fault: 'timeout' }, is: 'error timeout' },
  { name: 'a refusal is an error', says: { fault: 'refused' }, is: 'error refused' },
  { name: 'more than one series is an error that says so', says: two, is: 'error badQuery' },
  { name: 'with series one of many is picked', says: two, series: { service: 'b' }, is: 2 },
  {
    name: 'with series that fits none it is no data',
    says: two,
    series: { service: 'c' },
    is: 'noData',
  },
  {
    name: 'a label that is absent is an empty one',
    says: two,
    series: { service: 'a', zone: '' },
    is: 1,
  },
];

const ratios: readonly { name: string; bad: Says; total: Says; is: string | number }[] = [
  { name: 'bad over total', bad: 5, total: 1000, is: 0.005 },
  { name: 'no failing series at all is 0', bad: 'absent', total: 1000, is: 0 },
  { name: 'total 0 is no traffic', bad: 'absent', total: 0, is: 'noTraffic' },
  { name: 'total 0 with a bad series is no traffic too', bad: 0, total: 0, is: 'noTraffic' },
  { name: 'total absent is a broken chain', bad: 'absent', total: 'absent', is: 'noData' },
  {
    name: 'total absent with a bad series is a broken chain',
    bad: 5,
    total: 'absent',
    is: 'noData',
  },
  { name: 'total NaN is a broken chain', bad: 'absent', total: Number.NaN, is: 'noData' },
  { name: 'bad NaN is no data', bad: Number.NaN, total: 10, is: 'noData' },
  { name: 'infinity over infinity is no number', bad: Infinity, total: Infinity, is: 'noData' },
  {
    name: 'bad that was not answered is an error',
    bad: { fault: 'timeout' },
    total: 1,
    is: 'error timeout',
  },
  {
    name: 'total that was not answered is an error',
    bad: 1,
    total: { fault: 'unreachable' },
    is: 'error unreachable',
  },
  { name: 'a partial total is no data', bad: 'absent', total: { fault: 'partial' }, is: 'noData' },
  { name: 'a partial bad is not taken for 0', bad: { fault: 'partial' }, total: 10, is: 'noData' },
  { name: 'two totals are an error', bad: 1, total: two, is: 'error badQuery' },
];

function shown(reading: Reading | undefined): string | number | undefined {
  if (reading?.type === 'value') return reading.value;
  return reading?.type === 'error' ? `error ${reading.fault}` : reading?.type;
}

describe('a query', () => {
  for (const { name, says, series, is } of queries) {
    test(name, () => {
      assert.equal(shown(read({ ...query, series }, { q: says })), is);
    });
  }
  test('the sentence about several series names the way out', () => {
    const reading = read(query, { q: two });
    assert.ok(reading?.type === 'error');
    assert.match(reading.message, /2 series where one is expected: .*`series`/);
  });
});

describe('a ratio', () => {
  for (const { name, bad, total, is } of ratios) {
    test(name, () => {
      assert.equal(shown(read(ratio, { bad, total })), is);
    });
  }
  test('waits while one of its two is not answered', () => {
    assert.equal(read(ratio, { bad: 1 }), undefined);
    assert.equal(read(ratio, { total: 1 }), undefined);
  });
});

describe('placeholders', () => {
  test('are filled in queries and in the labels of series', () => {
    const measure = {
      query: 'up{s="$(x)"}',
      series: { s: '$(x)' },
      isArmBound: true,
      rangeMs: 0,
    } as const;
    const fill = (text: string) => text.replace('$(x)', 'new');
    assert.deepEqual(fillMeasure({ type: 'query', ...measure }, fill), {
      type: 'query',
      query: 'up{s="new"}',
      series: { s: 'new' },
    });
  });
});

describe('a window', () => {
  const window = { startMs: 0, endMs: 60, stepMs: 15 };
  const series = (points: Readonly<Record<number, number>>): Answer => ({
    type: 'series',
    series: [
      {
        labels: {},
        points: Object.entries(points).map(([atMs, value]) => ({ atMs: Number(atMs), value })),
      },
    ],
    skewMs: undefined,
  });
  const readings = (measure: FilledMeasure, answers: Readonly<Record<string, Answer>>) =>
    readWindow(measure, window, (question) => answers[queryOf(question)]);

  test('has one reading for each point of the grid, absent ones included', () => {
    const read = readings(query, { q: series({ 0: 1, 30: 2, 45: Number.NaN }) });
    assert.ok(Array.isArray(read));
    assert.deepEqual(
      read.map(({ reading }) => shown(reading)),
      [1, 'noData', 2, 'noData', 'noData'],
    );
  });

  test('of a ratio reads each point by the same table', () => {
    const read = readings(ratio, { bad: series({ 15: 1 }), total: series({ 0: 4, 15: 4, 30: 0 }) });
    assert.ok(Array.isArray(read));
    assert.deepEqual(
      read.map(({ reading }) => shown(reading)),
      [0, 0.25, 'noTraffic', 'noData', 'noData'],
    );
  });

  for (const fault of ['unreachable', 'partial', 'tooLarge'] as const) {
    test(`that could not be answered (${fault}) says nothing of any point`, () => {
      const failed = answer({ fault });
      const read = readings(ratio, { bad: failed, total: series({ 0: 4 }) });
      assert.deepEqual(read, failed);
    });
  }

  test('waits until every part is answered, a failed one included', () => {
    assert.equal(readings(ratio, { bad: answer({ fault: 'timeout' }) }), undefined);
  });

  test('of more points than Prometheus gives at once is asked in parts', () => {
    const asked: Parameters<Ask>[0][] = [];
    const long = { startMs: 0, endMs: 25_000, stepMs: 1 };
    const read = readWindow(query, long, (question) => {
      asked.push(question);
      assert.ok(question.type === 'range');
      return series({ [question.startMs]: 1, [question.endMs]: 2 });
    });
    assert.deepEqual(
      asked.map((question) => question.type === 'range' && [question.startMs, question.endMs]),
      [
        [0, 9_999],
        [10_000, 19_999],
        [20_000, 25_000],
      ],
    );
    assert.ok(Array.isArray(read));
    assert.equal(read.length, 25_001);
    assert.deepEqual(
      read.flatMap(({ atMs, reading }) => (reading.type === 'value' ? [atMs] : [])),
      [0, 9_999, 10_000, 19_999, 20_000, 25_000],
    );
  });
});
