/** The sequential judge: counts both arms in the block so far, and weighs them. */
import type { Ask } from '#core/answer.ts';
import { assert } from '#core/assert.ts';
import type { SequentialJudge } from '#core/run-spec.ts';
import type { Judged, Verdict } from '#core/verdict.ts';
import { type Block, blockAt, blockBefore, widened } from './blocks.ts';
import { type Counted, countArm, countRequests, isYoung, type Ratio } from './counts.ts';
import { type Control, type Evidence, weigh } from './evidence.ts';
import { evidenceText } from './evidence-text.ts';

export interface ArmContext {
  /** When the weight was last changed: no evidence from before counts. */
  readonly sinceMs: number;
  /** Stable has traffic by plan. */
  readonly isStableExpected: boolean;
  readonly fillStable: (text: string) => string;
}

interface Arms {
  readonly fill: (text: string) => string;
  readonly ask: Ask;
  readonly arms: ArmContext;
}

/** @returns undefined while an answer is missing */
export function sequentialVerdict(
  judge: SequentialJudge,
  { trigger, atMs, isStanding }: Judged,
  context: Arms,
): Verdict | undefined {
  const { sinceMs } = context.arms;
  const { name, measure } = trigger;
  assert(measure.type === 'ratio', 'a sequential judge counts a ratio');
  const lagMs = asksStable(judge, measure, context) ? judge.lagMs : 0;
  const block = blockAt(sinceMs, atMs - lagMs, judge.blockMs);
  if (block === undefined) {
    const says = `${name}: nothing counted yet at this weight`;
    return { type: 'judged', isTrue: false, says };
  }
  const verdictOf = (one: Block): Verdict | undefined => {
    const found = evidenceIn(one, judge, measure, context);
    if (found === undefined || found.type !== 'evidence') return found;
    const { evidence } = found;
    const says = `${name}: ${evidenceText(evidence, judge, one.startMs)}`;
    return { type: 'judged', isTrue: evidence.isOver, says };
  };
  const now = verdictOf(block);
  // A block that has just begun has no evidence of anything: that is no recovery.
  const before = isStanding ? blockBefore(block, sinceMs, judge.blockMs) : undefined;
  const earlier = before === undefined ? now : verdictOf(before);
  if (now === undefined || now.type === 'unknown' || now.isTrue) return now;
  return earlier === undefined || (earlier.type === 'judged' && earlier.isTrue) ? earlier : now;
}

type Found =
  | { readonly type: 'evidence'; readonly evidence: Evidence }
  | Extract<Verdict, { type: 'unknown' }>;

function evidenceIn(
  block: Block,
  judge: SequentialJudge,
  measure: Ratio,
  { fill, ask, arms }: Arms,
): Found | undefined {
  const canary = countArm(judge, measure, block, { fill, ask });
  const control = asksStable(judge, measure, { fill, arms })
    ? controlIn(block, judge, measure, { fill: arms.fillStable, ask })
    : NO_CONTROL;
  if (canary === undefined || control === undefined) return undefined;
  if (canary.type !== 'counts') return { type: 'unknown', reading: canary };
  if (control.type === 'error') return { type: 'unknown', reading: control };
  return { type: 'evidence', evidence: weigh(canary.counts, control.of, judge) };
}

type ControlFound =
  | { readonly type: 'control'; readonly of: Control | undefined }
  | Extract<Counted, { type: 'error' }>;

const NO_CONTROL: ControlFound = { type: 'control', of: undefined };

/** Stable without any request for so long is no control, and then the fixed limit is what there is. */
function controlIn(
  block: Block,
  judge: SequentialJudge,
  measure: Ratio,
  stable: { readonly fill: (text: string) => string; readonly ask: Ask },
): ControlFound | undefined {
  const around = countArm(judge, measure, widened(block, judge.lagMs), stable);
  const beside = countRequests(judge, measure, block, stable);
  if (around === undefined || beside === undefined) return undefined;
  if (around.type === 'error') return around;
  if (beside.type === 'error') return beside;
  const isThere = around.type === 'counts' && beside.type === 'counts';
  if (!isThere || (around.counts.total <= 0 && !isYoung(block, measure))) return NO_CONTROL;
  return { type: 'control', of: { ...around.counts, beside: beside.counts.total } };
}

/** A query that does not say which arm it is about has no other arm to compare with. */
function asksStable(
  { counts }: SequentialJudge,
  { series = {} }: Ratio,
  { fill, arms }: Pick<Arms, 'fill' | 'arms'>,
): boolean {
  const texts = [...counts.bad, ...counts.total, ...Object.values(series)];
  return arms.isStableExpected && texts.some((text) => fill(text) !== arms.fillStable(text));
}
