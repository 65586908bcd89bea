/**
 * The engine: a pure function from a snapshot of the world to a decision. It has no clock, no I/O and no
 * logger; the controller, the simulator and every test run this one function.
 */
import type { Question } from './answer.ts';
import { InvariantError } from './assert.ts';
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
import { paused } from './rules/paused.ts';
import { preflight } from './rules/preflight.ts';
import { promote } from './rules/promote.ts';
import { rollingBack } from './rules/rolling-back.ts';
import type { Rule } from './rules/rule.ts';
import { settling } from './rules/settling.ts';
import type { Snapshot } from './snapshot.ts';
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
  held,
  advance,
  promote,
];

export function decide(snapshot: Snapshot): Decision {
  return consider(snapshot).decision;
}

/**
 * What the engine would still like to know before it decides. The shell asks until nothing is left: the
 * first round is the readings of this tick, the second the range queries that prove a hold.
 */
export function openQuestions(snapshot: Snapshot): readonly Question[] {
  return consider(snapshot).open;
}

function consider(given: Snapshot): {
  readonly decision: Decision;
  readonly open: readonly Question[];
} {
  const snapshot = { ...given, status: mendStatus(given.status, given.now) };
  const { ask, open } = asker(snapshot);
  const view = lookAtRun(snapshot, ask);
  for (const rule of rules) {
    const verdict = rule.apply({ snapshot, view });
    if (verdict === undefined) continue;
    const decision = conclude({ rule: rule.name, verdict, snapshot, view });
    return { decision, open: [...open.values()] };
  }
  throw new InvariantError('some rule speaks for every snapshot');
}
