import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogger, type LogLevel } from './log.ts';

function setUp(level: LogLevel = 'info') {
  const lines: string[] = [];
  const log = createLogger({ level, stream: { write: (line: string) => lines.push(line) } });
  const last = (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? '');
  return { log, lines, last };
}

describe('a log line', () => {
  test('is one line of JSON with level by name, time and words', () => {
    const { log, lines, last } = setUp();
    log.info({ namespace: 'shop', name: 'checkout' }, 'entering step half');
    assert.equal(lines[0]?.indexOf('\n'), (lines[0]?.length ?? 0) - 1);
    const { time, ...rest } = last();
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, {
      level: 'info',
      namespace: 'shop',
      name: 'checkout',
      msg: 'entering step half',
    });
  });

  test('keeps the fields of its parent', () => {
    const { log, last } = setUp();
    log.child({ run: 'r1' }).warn({ step: 'half' }, 'held');
    assert.equal(last()['run'], 'r1');
    assert.equal(last()['step'], 'half');
    assert.equal(last()['level'], 'warn');
  });

  test('has message, stack and cause of an error', () => {
    const { log, last } = setUp();
    log.error({ err: new Error('no route', { cause: new Error('404') }) }, 'failed');
    const err = last()['err'];
    assert.ok(typeof err === 'object' && err !== null);
    assert.match(String(Reflect.get(err, 'message')), /no route: 404/);
    assert.match(String(Reflect.get(err, 'stack')), /caused by: Error: 404/);
  });

  for (const [level, count] of [
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
  ] as const) {
    test(`is written from its level on: ${level}`, () => {
      const { log, lines } = setUp(level);
      log.debug({}, '');
      log.info({}, '');
      log.warn({}, '');
      log.error({}, '');
      assert.equal(lines.length, count);
    });
  }
});

describe('a credential is never written:', () => {
  const rows: readonly (readonly [name: string, fields: object])[] = [
    ['at the top', { token: 'hunter2' }],
    ['one level down', { auth: { password: 'hunter2' } }],
    ['in headers', { headers: { authorization: 'Bearer hunter2' } }],
    ['in the headers of a request', { request: { headers: { Authorization: 'Bearer hunter2' } } }],
    [
      'in what a client throws',
      { err: Object.assign(new Error('no'), { headers: { authorization: 'hunter2' } }) },
    ],
  ];
  for (const [name, fields] of rows) {
    test(name, () => {
      const { log, lines } = setUp();
      log.info(fields, 'words');
      log.child(fields).info({}, 'words');
      assert.equal(lines.length, 2);
      assert.doesNotMatch(lines.join(''), /hunter2/);
      assert.match(lines.join(''), /\*\*\*/);
    });
  }

  test('but the key of a rollout is', () => {
    const { log, last } = setUp();
    log.info({ key: 'shop/checkout' }, 'words');
    assert.equal(last()['key'], 'shop/checkout');
  });
});
