/**
 * What must work before a run may start. The chain of every trigger that can act is proved with a real
 * reading; where canary has no traffic yet, on the stable arm, with the same query.
 */
import type { Hold } from '#api/status.ts';
import { causeOfSilence } from './causes.ts';
import { fillerFor } from './fill.ts';
import { fillMeasure, readAt } from './reading.ts';
import type { RunTrigger } from './run-spec.ts';
import { suiteOf } from './suite-reading.ts';
import { tickAt } from './time.ts';
import { lowestWeight } from './traffic.ts';
import type { RunView } from './view.ts';

type Problem = Omit<Hold, 'since'>;

/** What only a person lifts is no matter of preflight: the run is held for it once preflight has passed. */
const FOR_PEOPLE: readonly string[] = ['Paused', 'WouldServeOlderVersion'];

/** @returns one for each broken link; empty when all is well */
export function preflightProblems(view: RunView): Problem[] {
  const { run, now, snapshot } = view;
  if (run.preflight === 'Skip') return [];
  const holds = view.holds.filter((hold) => !FOR_PEOPLE.includes(hold.reason));
  const atMs = tickAt(now - run.offsetMs, run.intervalMs);
  const chain = run.triggers
    .filter((trigger) => trigger.severity !== 'Info')
    .flatMap((trigger) => chainProblem(view, trigger, atMs) ?? []);
  const canary: Problem[] =
    snapshot.ready.canary === 0
      ? [
          {
            reason: 'CanaryNotReady',
            by: 'canary',
            message: `Service ${run.canary?.service ?? ''} (canary) has no Ready endpoint`,
          },
        ]
      : [];
  const broken = chain.filter(({ by }) => !holds.some((hold) => hold.by === by));
  return [...holds, ...canary, ...broken];
}

function chainProblem(view: RunView, trigger: RunTrigger, atMs: number): Problem | undefined {
  const { run, now } = view;
  const by = trigger.name;
  const read = (arm: 'stable' | 'canary') => {
    const moment = { weight: view.weight ?? 0, windowMs: now - view.startedAtMs };
    return readAt(fillMeasure(trigger.measure, fillerFor(run, arm, moment)), atMs, view.ask);
  };
  const notAsked = (arm: string) => ({
    reason: 'TriggerUnknown',
    by,
    message: `${by}: not asked of ${arm} yet`,
  });
  const canary = read('canary');
  if (canary === undefined) return notAsked('canary');
  if (canary.type === 'value') return undefined;
  if (isAwaited(view, trigger)) return { reason: 'SuiteAwaited', by, message: canary.message };
  const { reason } = causeOfSilence(canary);
  if (canary.type === 'error') return { reason, by, message: `${by}: ${canary.message}` };
  // Of several routes one alone may lead nobody to canary.
  if (!trigger.measure.isArmBound || (lowestWeight(view.snapshot.routes) ?? 0) > 0) {
    const { type } = trigger.measure;
    const advice =
      type === 'suite' || type === 'probe' ? '' : '; is the metric exported and scraped?';
    return { reason, by, message: `${by}: ${canary.message}${advice}` };
  }
  const stable = read('stable');
  if (stable === undefined) return notAsked('stable');
  if (stable.type === 'value') return undefined;
  const message = `${by}: ${stable.message}, for stable too, so the metric chain is not proved; is the metric exported, scraped and labelled as the query expects?`;
  return { reason: causeOfSilence(stable).reason, by, message };
}

/** The suite's first run of this run of the rollout has not ended: nothing is broken. */
function isAwaited({ snapshot }: RunView, { measure }: RunTrigger): boolean {
  return measure.type === 'suite' && suiteOf(snapshot, measure.suite)?.runs.length === 0;
}
