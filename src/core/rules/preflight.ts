/** Before the first traffic change everything the run relies on must have been seen to work. */
import type { EventDraft } from '#core/decision.ts';
import { dateHold } from '#core/holds.ts';
import { preflightProblems } from '#core/preflight.ts';
import { toIso } from '#core/time.ts';
import type { Rule } from './rule.ts';

export const preflight: Rule = {
  name: 'preflight',
  when: 'preflight has not passed yet',
  apply({ view }) {
    if (view === undefined || view.status.preflightPassedAt !== undefined) return undefined;
    const problems = preflightProblems(view);
    const sentence = [...new Set(problems.map((problem) => problem.message))].join('; ');
    if (problems.length > 0 && view.run.preflight === 'Require') {
      const because = { reason: 'PreflightFailed', message: `preflight: ${sentence}` };
      const holds = problems.map((problem) => dateHold(problem, view.status, view.now));
      return { because, phase: 'Preflight', status: view.status, holds };
    }
    const passed: EventDraft =
      problems.length === 0
        ? {
            type: 'Normal',
            reason: 'PreflightPassed',
            action: 'Preflight',
            note: 'preflight passed',
          }
        : { type: 'Warning', reason: 'PreflightAdvice', action: 'Preflight', note: sentence };
    return {
      because: { reason: passed.reason, message: passed.note },
      phase: 'Preflight',
      status: { ...view.status, preflightPassedAt: toIso(view.now) },
      events: [passed],
      wakeAtMs: view.now,
    };
  },
};
