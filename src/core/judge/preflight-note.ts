/**
 * What preflight can promise of the sequential judge: the smallest share of bad requests it finds at the first step with traffic,
 * by the requests that stable has now. With too few it finds nothing, and people should know before they rely on it.
 */
import { fillerFor } from '#core/fill.ts';
import type { PlanPoint, RunTrigger } from '#core/run-spec.ts';
import { spanText, tickAt } from '#core/time.ts';
import type { RunView } from '#core/view.ts';
import { countArm } from './counts.ts';
import { smallestDetectable } from './detectable.ts';
import type { ArmCounts } from './e-value.ts';

/** Over so much of stable's newest history its requests are counted. */
const COUNTED_MS = 10 * 60_000;

export interface DetectionNote {
  readonly message: string;
  /** Not even a canary whose every request is bad is found within a block. */
  readonly isBlind: boolean;
}

/** @returns undefined while an answer is missing; nothing of a trigger whose counts cannot be had */
export function detectionNotes(view: RunView): readonly DetectionNote[] | undefined {
  const { run, ask, now } = view;
  const first = run.points.find(({ weight }) => (weight ?? 0) > 0);
  const notes: DetectionNote[] = [];
  if (run.preflight === 'Skip') return notes;
  const atMs = tickAt(now - run.offsetMs, run.intervalMs);
  const fill = fillerFor(run, 'stable', { weight: view.weight ?? 0, windowMs: COUNTED_MS });
  let isAsked = false;
  for (const trigger of run.triggers) {
    const { judge, measure } = trigger;
    if (judge.type !== 'Sequential' || measure.type !== 'ratio' || first === undefined) continue;
    const block = { startMs: atMs - COUNTED_MS, lengthMs: COUNTED_MS };
    const counted = countArm(judge, measure, block, { fill, ask });
    isAsked ||= counted === undefined;
    if (counted?.type === 'counts') notes.push(noteOf(trigger, counted.counts, first));
  }
  return isAsked ? undefined : notes;
}

function noteOf(
  { name, judge, measure }: RunTrigger,
  of: ArmCounts,
  step: PlanPoint,
): DetectionNote {
  const weight = step.weight ?? 0;
  const perSecond = of.total / (COUNTED_MS / 1000);
  const share = measure.isArmBound ? weight / 100 : 1;
  const traffic = {
    canaryPerSecond: perSecond * share,
    stablePerSecond: perSecond * (1 - share),
    baseline: of.total > 0 ? of.bad / of.total : 0,
  };
  const withinMs = judge.type === 'Sequential' ? judge.blockMs : 0;
  const found =
    judge.type === 'Sequential' && of.total > 0
      ? smallestDetectable(traffic, withinMs, judge)
      : undefined;
  const where = `within ${spanText(withinMs)} of step ${step.name} (${weight}%)`;
  const seen = `stable has ${figure(perSecond)} requests a second, ${figure(100 * traffic.baseline)}% bad`;
  return found === undefined
    ? { message: `${name} would find nothing ${where}: ${seen}`, isBlind: true }
    : {
        message: `${name} finds ${figure(100 * found)}% bad requests ${where}: ${seen}`,
        isBlind: false,
      };
}

function figure(value: number): string {
  return String(Number(value.toPrecision(2)));
}
