/**
 * What must work before a run may start. Every trigger that can act must have a real reading; where canary has no
 * traffic yet, from the stable arm, with the same query. What else lies between a metric and a person is checked
 * outside, and its report is read here.
 */
import type { Hold } from '#api/status.ts';
import { causeOfSilence } from './causes.ts';
import { brokenIn, heldBefore, holdsOf, unknownChain, withoutDoubles } from './chain-holds.ts';
import { reportOf } from './chain-report.ts';
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

/** @returns one for each thing that does not work; empty when all is well */
export function preflightProblems(view: RunView): Problem[] {
  if (view.run.preflight === 'Skip') return [];
  const problems = readingProblems(view);
  return withoutDoubles([...problems, ...chainProblems(view, problems)]);
}

/** What a look at the run itself shows. */
function readingProblems(view: RunView): Problem[] {
  const { run, now, snapshot } = view;
  const holds = view.holds.filter(
    ({ reason, links }) => !FOR_PEOPLE.includes(reason) && links === undefined,
  );
  const atMs = tickAt(now - run.offsetMs, run.intervalMs);
  const silent = run.triggers
    .filter((trigger) => trigger.severity !== 'Info')
    .flatMap((trigger) => silenceProblem(view, trigger, atMs) ?? []);
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
  const broken = silent.filter(({ by }) => !holds.some((hold) => hold.by === by));
  return [...holds, ...canary, ...broken];
}

/** What the check of the metric chain has found, or that it has not ended. What was held for then stands. */
function chainProblems(view: RunView, problems: readonly Problem[]): Problem[] {
  if (view.snapshot.chain === undefined) return [];
  const report = reportOf(view);
  if (report === undefined) {
    const before = heldBefore(view);
    return before.length > 0 ? before : [unknownChain(view)];
  }
  const isTold = problems.some(({ reason }) => reason === 'PrometheusDown');
  return holdsOf(brokenIn(report).filter(({ link }) => !isTold || link !== 'prometheus'));
}

/** The last link, the value: the query itself has one. */
function silenceProblem(view: RunView, trigger: RunTrigger, atMs: number): Problem | undefined {
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
  if (isAwaited(view, trigger, atMs))
    return { reason: 'SuiteAwaited', by, message: canary.message };
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

/** The suite's first run of this run of the rollout had not ended at that evaluation: nothing is broken. */
function isAwaited({ snapshot }: RunView, { measure }: RunTrigger, atMs: number): boolean {
  if (measure.type !== 'suite') return false;
  const runs = suiteOf(snapshot, measure.suite)?.runs;
  return runs?.every(({ finishedAtMs }) => finishedAtMs > atMs) ?? false;
}
