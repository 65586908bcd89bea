/** A step has been entered and its weight is not read back from every route yet. The step's clock starts when it is. */
import { holdSentence } from '#core/holds.ts';
import { workloadsBehind } from '#core/restarts.ts';
import { currentPoint, passPoint } from '#core/schedule.ts';
import { toIso } from '#core/time.ts';
import { allRead, lowestWeight } from '#core/traffic.ts';
import type { RunView } from '#core/view.ts';
import type { Rule, Verdict } from './rule.ts';

const RETRY_MS = 1000;

export const settling: Rule = {
  name: 'settling',
  when: 'the weight of the step just entered is not read back yet',
  apply({ view }) {
    if (view === undefined) return undefined;
    const point = currentPoint(view.run, view.status);
    if (point?.kind !== 'Step' || view.status.step !== point.name) return undefined;
    const weight = point.weight ?? 0;
    const { routes } = view.snapshot;
    const isAccepted = routes.every(({ reading }) => reading.type !== 'read' || reading.settled);
    if (allRead(routes, weight) && isAccepted) {
      const behind = workloadsBehind(view, view.status);
      if (behind.length > 0) return waitForRestarts(view, point.name, behind);
      const passed = passPoint(view.run, view.status, point, view.now);
      const message = `step ${point.name} reached: ${weight}% read back from every route`;
      return {
        because: { reason: 'StepEntered', message },
        phase: 'Progressing',
        status: { ...passed, stepEnteredAt: toIso(view.now) },
        events: [{ type: 'Normal', reason: 'StepEntered', action: 'SetWeight', note: message }],
        wakeAtMs: view.now,
      };
    }
    const obstacles = [...view.holds, ...view.riseBlockers];
    if (obstacles.length > 0 && (lowestWeight(routes) ?? 0) < weight) {
      const because = { reason: 'Held', message: holdSentence(obstacles) };
      return { because, phase: 'Held', status: view.status, holds: obstacles };
    }
    return wait(view, `step ${point.name}: waiting until ${weight}% is read back from every route`);
  },
};

/** Pods that still run with the old flag would be measured as if they did not. */
function waitForRestarts(view: RunView, step: string, behind: readonly string[]): Verdict {
  const message = `step ${step}: waiting until these run with the flag as it is: ${behind.join('; ')}`;
  return { ...wait(view, message), because: { reason: 'RestartPending', message } };
}

function wait(view: RunView, message: string): Verdict {
  return {
    because: { reason: 'RouteNotSettled', message },
    phase: 'Progressing',
    status: view.status,
    wakeAtMs: view.now + RETRY_MS,
  };
}
