/**
 * A look that can only say again what the last one said. Most looks of a run that lasts for days find the world as it was
 * but for the figures of its triggers: then the figures alone are judged, and the decision stands. It is a shortcut and
 * nothing else: a look without it decides the same, which the simulation proves of every one that is taken.
 */
import { holds } from '#api/condition-text.ts';
import { type Answer, type Ask, type Question, questionKey } from './answer.ts';
import { CANARY_DOWN } from './builtin-triggers.ts';
import type { Decision } from './decision.ts';
import { fillerFor } from './fill.ts';
import { activeFreezes } from './freeze.ts';
import { CLOCK_SKEW, CLOCK_SKEW_MAX_MS } from './holds.ts';
import { asksForWindow } from './measure-queries.ts';
import { routineLook } from './next-look.ts';
import { fillMeasure, type Reading, readAt } from './reading.ts';
import type { RunSpec, RunTrigger } from './run-spec.ts';
import { isSame } from './same-status.ts';
import type { Snapshot } from './snapshot.ts';
import { tickAt } from './time.ts';
import { desiredWeight, observedWeight } from './traffic.ts';
import type { TriggerOutcome } from './trigger.ts';

type World = Omit<Snapshot, 'last'>;

/** What was decided of which world, and until when only a changed world can change it. */
export interface Standing {
  readonly world: World;
  readonly run: RunSpec;
  readonly decision: Decision;
  readonly untilMs: number;
}

/** Everything that a look reads, except for the time and the answers. A member that is new has to be compared too. */
const comparisons: {
  readonly [Member in Exclude<keyof World, 'now' | 'answers'>]-?: (
    before: World,
    after: World,
  ) => boolean;
} = {
  object: (before, after) => isSame(before.object, after.object),
  wanted: (before, after) => before.wanted === after.wanted,
  recorded: (before, after) => before.recorded === after.recorded,
  status: (before, after) => before.status === after.status,
  routes: (before, after) => isSame(before.routes, after.routes),
  restarts: (before, after) => isSame(before.restarts, after.restarts),
  ready: (before, after) => isSame(before.ready, after.ready),
  conflict: (before, after) => before.conflict === after.conflict,
  // Runs of suites begin, end and run out by themselves: with any of them nothing stands.
  suites: (_, after) => after.suites.size === 0,
  jobs: (_, after) => after.jobs.size === 0,
  decisions: (before, after) => before.decisions.length + after.decisions.length === 0,
  decisionPolicy: (before, after) => isSame(before.decisionPolicy, after.decisionPolicy),
  evidence: (before, after) => isSame(before.evidence, after.evidence),
  chain: (before, after) => isSame(before.chain, after.chain),
};
const compare = Object.values(comparisons);

/** @returns undefined where the next look has to think for itself */
export function standingOf(snapshot: Snapshot, decision: Decision): Standing | undefined {
  const { last: _, ...world } = snapshot;
  const { status, first, actions, events, nextMomentMs: untilMs, triggers } = decision;
  const { recorded: run, answers } = world;
  const isSilent = status === world.status && first.length + actions.length + events.length === 0;
  if (run === undefined || untilMs === undefined || !isSilent) return undefined;
  if (run.suites.length > 0 || !triggers.every((one) => isPlain(one))) return undefined;
  const isOff = status.holds?.some(({ reason }) => reason === CLOCK_SKEW) === true;
  if (isOff || ![...answers.values()].every(isGood)) return undefined;
  const standing = { world, run, decision, untilMs };
  // What was asked besides the newest readings of the triggers would have to be asked again.
  const asked = new Set<string>();
  const outcomes = readAgain(standing, world, (question) => {
    const key = questionKey(question);
    asked.add(key);
    return answers.get(key);
  });
  return outcomes !== undefined && asked.size === answers.size ? standing : undefined;
}

/**
 * Its text is the same at every look, and what it says is a figure, which is what its state says. Where the two differ, as after a
 * clock that has stepped back, a trigger waits for the time of its last reading to come again.
 */
function isPlain({ trigger, reading, status }: TriggerOutcome): boolean {
  const { name, measure } = trigger;
  if (name === CANARY_DOWN) return true;
  const isOfState = isTrue(trigger, reading) === (status.state === 'Firing');
  return measure.type !== 'suite' && isOfState && !asksForWindow(measure);
}

/** Figures, from a server whose clock agrees with ours as far as it says. */
function isGood(answer: Answer): boolean {
  return answer.type === 'samples' && Math.abs(answer.skewMs ?? 0) <= CLOCK_SKEW_MAX_MS;
}

export type Again =
  /** These are to be answered first. */
  | { readonly type: 'asks'; readonly open: readonly Question[] }
  | { readonly type: 'stands'; readonly decision: Decision }
  | { readonly type: 'changed' };

const changed: Again = { type: 'changed' };

/** Whether the last look's decision stands in the world as it is now. */
export function again(snapshot: Snapshot): Again {
  const { last, now, answers } = snapshot;
  if (last === undefined || now >= last.untilMs || now < last.world.now) return changed;
  if (!compare.every((isUnchanged) => isUnchanged(last.world, snapshot))) return changed;
  if (!isFrozenAlike(last, now)) return changed;
  const open = new Map<string, Question>();
  let isBad = false;
  const triggers = readAgain(last, snapshot, (question) => {
    const key = questionKey(question);
    const answer = answers.get(key);
    if (answer === undefined) open.set(key, question);
    else isBad ||= !isGood(answer);
    return answer;
  });
  if (isBad) return changed;
  if (open.size > 0) return { type: 'asks', open: [...open.values()] };
  if (triggers === undefined) return changed;
  const isCalm = triggers.every(({ status }) => status.state === 'Inactive');
  const look = routineLook(last.run, { now, soonestMs: last.untilMs, isCalm });
  return {
    type: 'stands',
    decision: { ...last.decision, ...look, triggers, isRepeated: true },
  };
}

/** Windows open by the clock, and the plan does not wait for their opening. */
function isFrozenAlike({ run: { freezes }, world }: Standing, now: number): boolean {
  const ends = (atMs: number) => activeFreezes(freezes, atMs).map(({ endsAtMs }) => endsAtMs);
  return freezes.length === 0 || isSame(ends(world.now), ends(now));
}

/** @returns undefined where the truth of a trigger is another one, or not known */
function readAgain(
  { run, decision }: Standing,
  { now, routes, status }: World,
  lookUp: (question: Question) => Answer | undefined,
): readonly TriggerOutcome[] | undefined {
  const atMs = tickAt(now - run.offsetMs, run.intervalMs);
  const weight = observedWeight(routes) ?? desiredWeight(run, status) ?? 0;
  // No text with the length of the window in it comes here.
  const fill = fillerFor(run, 'canary', { weight, windowMs: 0 });
  // Nothing that is asked of suites comes here either.
  const ask: Ask = (question) =>
    question.type === 'suite' || question.type === 'suiteRange' ? undefined : lookUp(question);
  let isSameTruth = true;
  const outcomes = decision.triggers.map((outcome) => {
    const { trigger, reading: before, readAtMs = atMs } = outcome;
    if (trigger.name === CANARY_DOWN) return outcome;
    const reading = readAt(fillMeasure(trigger.measure, fill), atMs, ask);
    // What was seen at a moment off the grid is not taken back by the older point of the grid.
    isSameTruth &&= atMs >= readAtMs && isTrue(trigger, reading) === isTrue(trigger, before);
    return { ...outcome, reading, readAtMs: atMs };
  });
  return isSameTruth ? outcomes : undefined;
}

function isTrue({ condition }: RunTrigger, reading: Reading | undefined): boolean | undefined {
  return reading?.type === 'value' ? holds(condition, reading.value) : undefined;
}
