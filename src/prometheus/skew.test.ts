import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { clockSkew } from './skew.ts';

const noon = Date.parse('2026-11-22T12:00:00Z');
const date = 'Sun, 22 Nov 2026 12:00:00 GMT';

const span = (sentAtMs: number, receivedAtMs: number, elapsedMs = receivedAtMs - sentAtMs) => ({
  sentAtMs,
  receivedAtMs,
  elapsedMs,
});

const rows: readonly (readonly [
  string,
  string | undefined,
  Parameters<typeof clockSkew>[1],
  number | undefined,
])[] = [
  ['no Date header tells nothing', undefined, span(noon, noon + 10), undefined],
  ['a Date that is none tells nothing', 'yesterday', span(noon, noon + 10), undefined],
  ['equal clocks are 0', date, span(noon, noon + 10), 0],
  ['within the second that Date cuts off nothing is proved', date, span(noon + 980, noon + 990), 0],
  ['a slow answer proves nothing', date, span(noon - 8_000, noon + 100), 0],
  ['a server 30 s ahead', date, span(noon - 30_000, noon - 29_900), 30_450],
  ['a server 30 s behind', date, span(noon + 30_000, noon + 30_100), -29_550],
  ['our own clock was set while we waited', date, span(noon - 60_000, noon, 10), undefined],
];
for (const [name, header, around, want] of rows) {
  test(name, () => assert.equal(clockSkew(header, around), want));
}

test('the estimate is never further from the truth than half a second and half the time it took', () => {
  const property = fc.property(
    fc.integer({ min: -100_000, max: 100_000 }),
    fc.nat(10_000),
    fc.nat(1_000),
    fc.float({ min: 0, max: 1, noNaN: true }),
    (skewMs, tookMs, offsetMs, share) => {
      const sentAtMs = noon + offsetMs;
      const answeredAtMs = sentAtMs + tookMs * share + skewMs;
      const estimate = clockSkew(
        new Date(answeredAtMs).toUTCString(),
        span(sentAtMs, sentAtMs + tookMs),
      );
      // Zero is also given where the true skew cannot be told from zero: then it is within the whole interval.
      const uncertainty = estimate === 0 ? 1_000 + tookMs : 501 + tookMs / 2;
      assert.ok(
        estimate !== undefined && Math.abs(estimate - skewMs) <= uncertainty,
        `${estimate} for ${skewMs}`,
      );
    },
  );
  fc.assert(property);
});
