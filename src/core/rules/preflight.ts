/** Before the first traffic change everything the run relies on must have been seen to work. */
import type { Hold, RolloutStatus } from '#api/status.ts';
import { backtestOf } from '#core/backtest.ts';
import { isPassing, isUnproved } from '#core/chain-holds.ts';
import { type ChainNote, chainNote } from '#core/chain-note.ts';
import type { EventDraft } from '#core/decision.ts';
import { dateHold } from '#core/holds.ts';
import { type DetectionNote, detectionNotes } from '#core/judge/preflight-note.ts';
import { preflightProblems } from '#core/preflight.ts';
import { toIso } from '#core/time.ts';
import type { Rule } from './rule.ts';

export const preflight: Rule = {
  name: 'preflight',
  when: 'preflight has not passed yet',
  apply({ view }) {
    if (view === undefined || view.status.preflightPassedAt !== undefined) return undefined;
    const links = preflightProblems(view);
    const isRequired = view.run.preflight === 'Require';
    // A chain that is broken now has no history to rely on, and history is a lot to ask.
    const backtest = isRequired && links.length > 0 ? undefined : backtestOf(view);
    const problems = [...links, ...backtestProblems(backtest)];
    const status = withBacktest(view.status, backtest);
    const sentence = [...new Set(problems.map((problem) => problem.message))].join('; ');
    // What is only told must be known before it can be.
    const isAwaited = problems.some(isPassing);
    if (problems.length > 0 && (isRequired || isAwaited)) {
      const reason = problems.every(isUnproved) ? 'PreflightUnknown' : 'PreflightFailed';
      const because = { reason, message: `preflight: ${sentence}` };
      const holds = problems.map((problem) => dateHold(problem, view.status, view.now));
      return { because, phase: 'Preflight', status, holds };
    }
    const passed = passedEvent(problems.length === 0 ? '' : sentence, {
      chain: chainNote(view),
      detection: detectionNotes(view) ?? [],
    });
    return {
      because: { reason: passed.reason, message: passed.note },
      phase: 'Preflight',
      status: { ...status, preflightPassedAt: toIso(view.now) },
      events: [passed],
      wakeAtMs: view.now,
    };
  },
};

interface Notes {
  readonly chain: ChainNote | undefined;
  readonly detection: readonly DetectionNote[];
}

/** What was found, and what the sequential judge can find: a judge that is blind is worth a warning. */
function passedEvent(found: string, { chain, detection }: Notes): EventDraft {
  const told = detection.map(({ message }) => message);
  const isBlind = detection.some((note) => note.isBlind);
  const isQuiet = found === '' && !isBlind && chain?.isAdvice !== true;
  const opening = isQuiet ? 'preflight passed' : found;
  const words = [opening, chain?.message ?? '', ...told].filter((one) => one !== '');
  return {
    type: isQuiet ? 'Normal' : 'Warning',
    reason: isQuiet ? 'PreflightPassed' : 'PreflightAdvice',
    action: 'Preflight',
    note: words.join('; '),
  };
}

type Backtest = ReturnType<typeof backtestOf>;

function backtestProblems(backtest: Backtest): Omit<Hold, 'since'>[] {
  if (backtest === undefined) return [];
  const by = 'preflight.backtest';
  if (backtest === 'isAsked') {
    return [{ reason: 'BacktestUnknown', by, message: "stable's history is being asked for" }];
  }
  if (backtest.outcome === 'Passed') return [];
  const reason = backtest.outcome === 'Failed' ? 'BacktestFailed' : 'BacktestUnknown';
  return [{ reason, by, message: backtest.message }];
}

function withBacktest(status: RolloutStatus, backtest: Backtest): RolloutStatus {
  const isKnown = backtest === undefined || backtest === 'isAsked' || backtest === status.backtest;
  return isKnown ? status : { ...status, backtest };
}
