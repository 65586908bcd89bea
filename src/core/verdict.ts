/** Whether a reading is a breach: the one place where a trigger's judge is asked. */
import { compareText, formatValue, holds } from '#api/condition-text.ts';
import type { Ask } from './answer.ts';
import { assert } from './assert.ts';
import { type ArmContext, sequentialVerdict } from './judge/sequential.ts';
import type { Reading } from './reading.ts';
import type { RunTrigger } from './run-spec.ts';

export type Verdict =
  | {
      readonly type: 'judged';
      readonly isTrue: boolean;
      /** What was found, as a sentence that begins with the trigger's name. */
      readonly says: string;
    }
  /** There is a reading, and what the judge needs beyond it could not be had. */
  | { readonly type: 'unknown'; readonly reading: Exclude<Reading, { type: 'value' }> };

export interface Judged {
  readonly trigger: RunTrigger;
  readonly value: number;
  /** Prometheus time of the reading. */
  readonly atMs: number;
  /** The trigger is Pending or Firing: what was found in the block before still stands. */
  readonly isStanding: boolean;
}

export interface JudgeContext {
  readonly fill: (text: string) => string;
  readonly ask: Ask;
  /** What triggers with a judge that compares arms need. */
  readonly arms?: ArmContext;
}

/** @returns undefined while an answer is missing */
export function judge(one: Judged, context: JudgeContext): Verdict | undefined {
  const { trigger, value } = one;
  const { condition, name } = trigger;
  if (trigger.judge.type === 'Sequential') {
    assert(context.arms !== undefined, 'a sequential judge knows both arms');
    return sequentialVerdict(trigger.judge, one, { ...context, arms: context.arms });
  }
  const isTrue = holds(condition, value);
  return {
    type: 'judged',
    isTrue,
    // Drawn up when something changes: most looks change nothing.
    get says() {
      return isTrue
        ? `${name} ${compareText(condition, value)}`
        : `${name} is ${formatValue(value, condition.unit)}, not ${condition.text}`;
    },
  };
}
