/** How many requests an arm had in a block, and how many of them were bad: asked at one instant, over the time since it began. */
import type { Ask } from '#core/answer.ts';
import { assert } from '#core/assert.ts';
import { type FilledMeasure, fillMeasure, type Reading, readAt } from '#core/reading.ts';
import type { Measure, SequentialJudge } from '#core/run-spec.ts';
import type { Block } from './blocks.ts';
import type { ArmCounts } from './e-value.ts';

/** What can be counted. */
export type Ratio = Extract<Measure, { type: 'ratio' }>;

type FilledRatio = Extract<FilledMeasure, { type: 'ratio' }>;

export type Counted =
  | { readonly type: 'counts'; readonly counts: ArmCounts }
  | Extract<Reading, { type: 'noData' | 'error' }>;

/**
 * A count needs two samples of a series, so a young block has none: that is no request yet, and no broken chain.
 * Twice the range of the query itself is long enough to tell the two apart.
 */
export function isYoung(block: Block, measure: Ratio): boolean {
  return block.lengthMs <= 2 * measure.rangeMs;
}

/** @returns undefined while an answer is missing */
export function countArm(
  judge: SequentialJudge,
  measure: Ratio,
  block: Block,
  { fill, ask }: { readonly fill: (text: string) => string; readonly ask: Ask },
): Counted | undefined {
  const filled = countMeasure(judge, measure, block, fill);
  const atMs = block.startMs + block.lengthMs;
  const share = readAt(filled, atMs, ask);
  const total = readAt({ type: 'query', query: filled.total, series: filled.series }, atMs, ask);
  if (share === undefined || total === undefined) return undefined;
  if (share.type === 'value' && total.type === 'value') {
    const part = Math.min(1, Math.max(0, share.value));
    return { type: 'counts', counts: { bad: part * total.value, total: total.value } };
  }
  const none: Counted = { type: 'counts', counts: { bad: 0, total: 0 } };
  if (share.type === 'error') return share;
  if (total.type === 'error') return total;
  if (share.type === 'noTraffic') return none;
  if (isYoung(block, measure)) return none;
  return share.type === 'noData' ? share : none;
}

/**
 * How many requests an arm had in a block, without how many of them were bad.
 *
 * @returns undefined while the answer is missing
 */
export function countRequests(
  judge: SequentialJudge,
  measure: Ratio,
  block: Block,
  { fill, ask }: { readonly fill: (text: string) => string; readonly ask: Ask },
): Counted | undefined {
  const { total: query, series } = countMeasure(judge, measure, block, fill);
  const reading = readAt({ type: 'query', query, series }, block.startMs + block.lengthMs, ask);
  if (reading === undefined || reading.type === 'error') return reading;
  const total = reading.type === 'value' ? Math.max(0, reading.value) : 0;
  return { type: 'counts', counts: { bad: 0, total } };
}

/** Its `bad` and `total`, with the time since the block began put in. */
export function countMeasure(
  judge: SequentialJudge,
  measure: Ratio,
  block: Block,
  fill: (text: string) => string,
): FilledRatio {
  const over = `${Math.round(block.lengthMs)}ms`;
  const { bad, total } = judge.counts;
  const counting = { ...measure, bad: bad.join(over), total: total.join(over) };
  const filled = fillMeasure(counting, fill);
  assert(filled.type === 'ratio', 'a filled ratio is a ratio');
  return filled;
}
