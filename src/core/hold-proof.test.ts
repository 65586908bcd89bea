/** The proved hold, point by point, and against a model that counts milliseconds one after the other. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { gapLimitMs, type HoldProof, proveHold, type Truth } from './hold-proof.ts';

const INTERVAL = 15;

/** `1` true, `0` false, `.` unknown; one point each 15, from 0. */
function pointsOf(text: string): Truth[] {
  const truths = { '1': 'true', '0': 'false', '.': 'unknown' } as const;
  return Array.from(text, (char, index) => ({
    atMs: index * INTERVAL,
    truth: truths[char as keyof typeof truths],
  }));
}

interface Row {
  readonly name: string;
  readonly points: string;
  /** A last point off the grid, where the engine looks at the very moment. */
  readonly last?: number;
  readonly forMs: number;
  readonly boundMs?: number;
  readonly expected: Partial<HoldProof> | undefined;
}

const rows: readonly Row[] = [
  {
    name: 'a condition true since a point is active from that point',
    points: '0011',
    forMs: 60,
    expected: { activeAtMs: 30, heldMs: 15, firingAtMs: undefined },
  },
  {
    name: 'it fires at exactly activeAt + for, not at the point that shows it',
    points: '0111111',
    forMs: 50,
    expected: { activeAtMs: 15, firingAtMs: 65 },
  },
  {
    name: 'a point that is false starts it anew',
    points: '11101111',
    forMs: 45,
    expected: { activeAtMs: 60, firingAtMs: 105 },
  },
  {
    name: 'a condition that is false now holds nothing',
    points: '1110',
    forMs: 30,
    expected: undefined,
  },
  {
    name: 'a gap adds nothing to the time held, and does not reset',
    points: '11..11',
    forMs: 45,
    expected: { activeAtMs: 0, gapMs: 30, heldMs: 45, firingAtMs: 75 },
  },
  {
    name: 'a gap just as long as for does not reset',
    points: '1..1',
    forMs: 30,
    expected: { activeAtMs: 0, gapMs: 30 },
  },
  {
    name: 'a gap longer than for resets',
    points: '1...1',
    forMs: 30,
    expected: { activeAtMs: 60, gapMs: 0, heldMs: 0 },
  },
  {
    name: 'what was held before a gap was held then, not after it',
    points: '11....1',
    forMs: 20,
    expected: { activeAtMs: 90, firingAtMs: undefined },
  },
  {
    name: 'for reached within what a reading covers is dated there, though a gap follows',
    points: '11.1',
    forMs: 20,
    expected: { activeAtMs: 0, gapMs: 15, firingAtMs: 20 },
  },
  {
    name: 'the last point may lie off the grid',
    points: '011',
    last: 37,
    forMs: 22,
    expected: { activeAtMs: 15, heldMs: 22, firingAtMs: 37 },
  },
  {
    name: 'nothing counts from before the bound',
    points: '11111',
    boundMs: 22,
    forMs: 30,
    expected: { activeAtMs: 22, firingAtMs: 52 },
  },
  {
    name: 'a reading from before the bound stands only for its interval',
    points: '1..11',
    boundMs: 22,
    forMs: 15,
    expected: { activeAtMs: 45, firingAtMs: 60 },
  },
  {
    name: 'for: 0s fires as soon as it is true',
    points: '01',
    forMs: 0,
    expected: { activeAtMs: 15, firingAtMs: 15 },
  },
];

describe('since when has it been true, and when had it been true for its time', () => {
  for (const { name, points, last, forMs, boundMs = 0, expected } of rows) {
    test(name, () => {
      const end: Truth[] = last === undefined ? [] : [{ atMs: last, truth: 'true' }];
      const proof = proveHold([...pointsOf(points), ...end], {
        boundMs,
        forMs,
        intervalMs: INTERVAL,
      });
      if (expected === undefined || proof === undefined) assert.equal(proof, expected);
      else assert.deepEqual({ ...proof, ...expected }, proof);
    });
  }

  test('five minutes is the longest gap, whatever for is', () => {
    assert.equal(gapLimitMs(3_600_000), 300_000);
    assert.equal(gapLimitMs(60_000), 60_000);
  });
});

/** One millisecond after the other: which of them are covered by a true reading of the newest stretch? */
function countedByHand(
  points: readonly Truth[],
  { boundMs, forMs, intervalMs }: { boundMs: number; forMs: number; intervalMs: number },
): HoldProof | undefined {
  const known = points.filter((point) => point.truth !== 'unknown');
  const lastFalse = known.findLastIndex((point) => point.truth === 'false');
  const trues = known.slice(lastFalse + 1).map((point) => point.atMs);
  const endMs = trues.at(-1);
  if (endMs === undefined || endMs + intervalMs <= boundMs) return undefined;
  const isCovered = (ms: number) => trues.some((at) => at <= ms && ms < at + intervalMs);
  let activeAtMs: number | undefined;
  let heldMs = 0;
  let gapMs = 0;
  let gapNowMs = 0;
  let firingAtMs: number | undefined;
  for (let ms = boundMs; ms <= Math.max(endMs, boundMs); ms += 1) {
    if (!isCovered(ms)) {
      gapNowMs += 1;
      continue;
    }
    if (activeAtMs === undefined || gapNowMs > gapLimitMs(forMs)) {
      activeAtMs = ms;
      heldMs = 0;
      gapMs = 0;
      firingAtMs = undefined;
    } else gapMs += gapNowMs;
    gapNowMs = 0;
    if (heldMs >= forMs) firingAtMs ??= ms;
    if (ms < endMs) heldMs += 1;
    // The millisecond after the last covered one has seen it held as well, though nobody reads there.
    if (heldMs >= forMs) firingAtMs ??= ms + 1;
  }
  assert.ok(activeAtMs !== undefined);
  return { activeAtMs, gapMs, heldMs, firingAtMs };
}

test('the proof says what counting by hand says', () => {
  const often = { arbitrary: fc.constant('true' as const), weight: 3 };
  const truth = fc.oneof(often, fc.constantFrom('unknown' as const, 'false' as const));
  fc.assert(
    fc.property(
      fc.array(truth, { maxLength: 40 }),
      fc.integer({ min: 0, max: INTERVAL - 1 }),
      fc.integer({ min: 0, max: 200 }),
      fc.integer({ min: 0, max: 150 }),
      (truths, offGridMs, boundMs, forMs) => {
        const points = truths.map((one, index): Truth => ({ atMs: index * INTERVAL, truth: one }));
        const lastMs = (truths.length - 1) * INTERVAL + offGridMs;
        if (offGridMs > 0 && truths.length > 0) points.push({ atMs: lastMs, truth: 'true' });
        const limits = { boundMs, forMs, intervalMs: INTERVAL };
        assert.deepEqual(proveHold(points, limits), countedByHand(points, limits));
      },
    ),
    { numRuns: 3000 },
  );
});
