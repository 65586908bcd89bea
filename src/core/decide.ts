/**
 * The engine: a pure function from a snapshot of the world to a decision. It has no clock, no I/O and no
 * logger; the controller, the simulator and every test run this one function.
 */
import type { RolloutStatus } from '#api/status.ts';
import type { Question } from './answer.ts';
import { assertNever, InvariantError } from './assert.ts';
import { conclude } from './conclude.ts';
import type { Decision } from './decision.ts';
import { mendStatus } from './mend-status.ts';
import { advance } from './rules/advance.ts';
import { asked } from './rules/asked.ts';
import { begin } from './rules/begin.ts';
import { deleted } from './rules/deleted.ts';
import { edited } from './rules/edited.ts';
import { finished } from './rules/finished.ts';
import { fired } from './rules/fired.ts';
import { gates } from './rules/gates.ts';
import { held } from './rules/held.ts';
import { invalid } from './rules/invalid.ts';
import { judged } from './rules/judged.ts';
import { paused } from './rules/paused.ts';
import { preflight } from './rules/preflight.ts';
import { promote } from './rules/promote.ts';
import { rollingBack } from './rules/rolling-back.ts';
import type { Rule } from './rules/rule.ts';
import { settling } from './rules/settling.ts';
import { isSameStatus } from './same-status.ts';
import type { Snapshot } from './snapshot.ts';
import { again } from './standing.ts';
import { asker, lookAtRun } from './view.ts';

/**
 * The order of rules is the safety argument: most protective first, and the first that speaks decides.
 * A fired trigger therefore comes before a pause, a gate, a hold or a broken edit, and nothing comes
 * before a rollback under way but the deletion of the rollout itself.
 */
export const rules: readonly Rule[] = [
  deleted,
  rollingBack,
  fired,
  asked,
  invalid,
  begin,
  edited,
  finished,
  paused,
  preflight,
  settling,
  gates,
  judged,
  held,
  advance,
  promote,
];

export function decide(snapshot: Snapshot): Decision {
  return considered(snapshot).decision();
}

/**
 * What the engine would still like to know before it decides. The shell asks until nothing is left: the
 * first round is the readings of this tick, the second the range queries that prove a hold.
 */
export function openQuestions(snapshot: Snapshot): readonly Question[] {
  return considered(snapshot).open;
}

/**
 * The last question and the decision are about the same snapshot: it is thought about once. With a question open
 * nothing is kept, because the answer makes another snapshot, and many looks wait for answers at a time.
 */
const known = new WeakMap<Snapshot, Considered>();

function considered(snapshot: Snapshot): Considered {
  const found = known.get(snapshot) ?? considerAgain(snapshot) ?? consider(snapshot);
  if (found.open.length === 0) known.set(snapshot, found);
  return found;
}

interface Considered {
  /** Drawn up when it is asked for: while a question is open nobody does. */
  readonly decision: () => Decision;
  readonly open: readonly Question[];
}

/** @returns undefined where the last decision does not stand */
function considerAgain(snapshot: Snapshot): Considered | undefined {
  const found = again(snapshot);
  switch (found.type) {
    case 'stands':
      return { open: [], decision: () => found.decision };
    case 'asks':
      return { open: found.open, decision: () => consider(snapshot).decision() };
    case 'changed':
      return undefined;
    default:
      return assertNever(found);
  }
}

/** Decisions that follow one another without anything to do in between are at most this many. */
const FOLDED_MAX = 8;

/**
 * A decision with nothing to do but to decide again at once is folded into the next one, so that one
 * status is written instead of several. Never past an action, an open question or a second point.
 */
function consider(given: Snapshot): Considered {
  const snapshot = { ...given, status: mendStatus(given.status, given.now) };
  let current = considerOnce(snapshot);
  for (let folded = 0; folded < FOLDED_MAX && isSilent(current, snapshot.now); folded += 1) {
    const decided = current.decision();
    const next = considerOnce({ ...snapshot, status: decided.status });
    const later = next.decision();
    if (passedCount(later.status) > passedCount(snapshot.status) + 1) break;
    const joined = join(snapshot, decided, later);
    current = { open: next.open, decision: () => joined };
  }
  return current;
}

function isSilent({ decision, open }: Considered, now: number): boolean {
  if (open.length > 0) return false;
  const { first, actions, wakeAtMs } = decision();
  const hasNothingToDo = first.length + actions.length === 0;
  return hasNothingToDo && wakeAtMs !== undefined && wakeAtMs <= now;
}

function passedCount({ plan }: RolloutStatus): number {
  return (plan ?? []).filter((point) => point.passedAt !== undefined).length;
}

function join(snapshot: Snapshot, earlier: Decision, later: Decision): Decision {
  const isSame = isSameStatus(snapshot.status, later.status);
  return {
    ...later,
    status: isSame ? snapshot.status : later.status,
    events: [...earlier.events, ...later.events],
  };
}

function considerOnce(snapshot: Snapshot): Considered {
  const { ask, open } = asker(snapshot);
  const view = lookAtRun(snapshot, ask);
  for (const rule of rules) {
    const verdict = rule.apply({ snapshot, view });
    if (verdict === undefined) continue;
    let drawnUp: Decision | undefined;
    const decision = (): Decision => {
      drawnUp ??= conclude({ rule: rule.name, verdict, snapshot, view });
      return drawnUp;
    };
    return { decision, open: [...open.values()] };
  }
  throw new InvariantError('some rule speaks for every snapshot');
}
