/**
 * A checkpoint that requires Preflight. The metric chain is checked anew for it, and what one check has found broken
 * for the first time is looked at again, since a rollback may follow.
 */
import { isConfirmed, isUnproved, unknownChain } from './chain-holds.ts';
import { reportOf } from './chain-report.ts';
import { askedSinceMs } from './chain-watch.ts';
import { preflightProblems } from './preflight.ts';
import type { PlanPoint } from './run-spec.ts';
import type { Judgement } from './success.ts';
import type { RunView } from './view.ts';

export function judgePreflight(view: RunView, point: PlanPoint): Judgement {
  const problems = preflightProblems(view);
  const ofRun = problems.filter((one) => one.links === undefined && !isUnproved(one));
  const isChecked = view.snapshot.chain !== undefined && view.run.preflight !== 'Skip';
  if (ofRun.length > 0 || !isChecked) return missedUnlessEmpty(ofRun);
  const report = reportOf(view);
  if (report === undefined || report.checkedAtMs < askedSinceMs(view, point)) {
    return { type: 'unknown', messages: [unknownChain(view).message] };
  }
  const isFirst = problems.length > 0 && !problems.some(({ by }) => isConfirmed(view, by));
  return isFirst
    ? { type: 'unknown', messages: messagesOf(problems) }
    : missedUnlessEmpty(problems);
}

type Problems = readonly { readonly message: string }[];

function missedUnlessEmpty(problems: Problems): Judgement {
  return problems.length === 0
    ? { type: 'met' }
    : { type: 'missed', messages: messagesOf(problems) };
}

function messagesOf(problems: Problems): string[] {
  return problems.map(({ message }) => message);
}
