/**
 * Workloads that read the flag only at their start follow it by a restart: after the flag has been read back, the
 * share is written on their pod template, and their own controller replaces the pods. The same share never restarts
 * one twice in a run, and a crash in between is made good by the next look.
 */
import type { RestartStatus, RolloutStatus } from '#api/status.ts';
import type { Action, EventDraft } from './decision.ts';
import type { RunSpec } from './run-spec.ts';
import type { RestartObservation, Snapshot } from './snapshot.ts';
import { desiredWeight, isRolledBack, isSteering } from './traffic.ts';

export interface Following {
  /** Undefined where the run restarts nothing. */
  readonly restarts: readonly RestartStatus[] | undefined;
  readonly actions: readonly Action[];
  readonly events: readonly EventDraft[];
}

/** What of a view counts here; the status may be the next one. */
interface Facts {
  readonly snapshot: Snapshot;
  readonly run: RunSpec;
}

/** Brings every workload to the flag as it has been read back. */
export function followFlag(facts: Facts, status: RolloutStatus): Following {
  const { restarts } = facts.snapshot;
  if (restarts.length === 0) return { restarts: undefined, actions: [], events: [] };
  const weight = flagAt(facts, status);
  const parts = restarts.map((one) => followOne(facts, status, one, weight));
  return {
    restarts: parts.map((part) => part.entry),
    actions: parts.flatMap((part) => part.actions),
    events: parts.flatMap((part) => part.events),
  };
}

/** Workloads whose pods do not all run with the flag as it reads now, each as a clause for a person. */
export function workloadsBehind(facts: Facts, status: RolloutStatus): readonly string[] {
  const weight = flagAt(facts, status);
  if (weight === undefined) return [];
  return facts.snapshot.restarts.flatMap((one) => {
    const { reading } = one;
    const name = nameOf(one);
    if (!isConcerned(facts, status, one, weight) || reading.type === 'missing') return [];
    if (reading.type === 'unknown') return [`${name} (not read yet)`];
    if (reading.type === 'refused') return [`${name} (${reading.message})`];
    const isRestarted = reading.mark === weight || entryOf(status, one)?.weight === weight;
    if (isRestarted && reading.isRolledOut) return [];
    return [reading.obstacle === undefined ? name : `${name} (${reading.obstacle})`];
  });
}

/** What a run that is given up has still to restart, where its flag reads 0. */
export function restartsToStable({ snapshot }: Facts): readonly Action[] {
  const flag = flagOf(snapshot);
  if (flag?.type !== 'read' || flag.weight !== 0 || !flag.uniform) return [];
  return snapshot.restarts.flatMap(({ workload, reading }): Action[] =>
    reading.type === 'read' && (reading.mark ?? 0) > 0
      ? [{ type: 'Restart', workload, weight: 0 }]
      : [],
  );
}

interface Part {
  readonly entry: RestartStatus;
  readonly actions: readonly Action[];
  readonly events: readonly EventDraft[];
}

function followOne(
  facts: Facts,
  status: RolloutStatus,
  one: RestartObservation,
  weight: number | undefined,
): Part {
  const { workload, reading } = one;
  const known = entryOf(status, one);
  const isMarked = weight !== undefined && reading.type === 'read' && reading.mark === weight;
  const isNews = isMarked && known?.weight !== weight && isConcerned(facts, status, one, weight);
  // A mark of 0 at first sight is an earlier run's.
  const isOurs = known?.weight !== undefined || (weight ?? 0) > 0;
  const restartedFor = isNews ? weight : known?.weight;
  const isDue =
    weight !== undefined &&
    !isMarked &&
    known?.weight !== weight &&
    (reading.type === 'read' || reading.type === 'refused') &&
    isConcerned(facts, status, one, weight);
  const isUnderWay = isDue || (weight !== undefined && restartedFor === weight);
  const problem = problemOf(one, known, isUnderWay);
  const entry: RestartStatus = {
    kind: workload.kind,
    name: workload.name,
    ...(restartedFor === undefined ? {} : { weight: restartedFor }),
    ...(problem === undefined ? {} : { problem }),
  };
  const isTold = problem !== undefined && known?.problem === undefined;
  const told = isTold ? [blockedEvent(one, problem)] : [];
  return {
    entry,
    actions: isDue ? [{ type: 'Restart', workload, weight }] : [],
    events: isNews && isOurs ? [restartedEvent(one, weight), ...told] : told,
  };
}

/** What stands in the way matters while pods are to be replaced; that a workload is not there, always. */
function problemOf(
  { reading }: RestartObservation,
  known: RestartStatus | undefined,
  isUnderWay: boolean,
): string | undefined {
  if (reading.type === 'unknown') return known?.problem;
  if (reading.type !== 'read') return reading.message;
  return isUnderWay ? reading.obstacle : undefined;
}

/** The share that is asked for, once the flag reads it; undefined before, and where none is asked for. */
function flagAt({ snapshot, run }: Facts, status: RolloutStatus): number | undefined {
  if (!isSteering(snapshot, status)) return undefined;
  const desired = desiredWeight(run, status);
  const flag = flagOf(snapshot);
  const isThere = flag?.type === 'read' && flag.weight === desired && flag.uniform;
  return isThere ? desired : undefined;
}

function flagOf({ routes }: Snapshot) {
  return routes.find(({ target }) => target.flag !== undefined)?.reading;
}

/**
 * False while the flag has been at 0 all along: who was started then runs with it as it is. A mark says what the
 * last restart was for, whichever run it belonged to.
 */
function isConcerned(
  { run }: Facts,
  status: RolloutStatus,
  one: RestartObservation,
  weight: number,
): boolean {
  const mark = one.reading.type === 'read' ? one.reading.mark : undefined;
  const restartedFor = entryOf(status, one)?.weight;
  if (weight > 0 || (mark ?? 0) > 0 || restartedFor !== undefined) return true;
  return hasMoved(run, status);
}

/** This run, or the one it replaced, has had the flag above 0, or has found it there. */
function hasMoved(run: RunSpec, status: RolloutStatus): boolean {
  const { plan = [], step, replacedRevision, routes = [] } = status;
  const isRaised = plan.some(({ passedAt, weight = 0 }) => passedAt !== undefined && weight > 0);
  const entered = run.points.find((point) => point.kind === 'Step' && point.name === step);
  const flag = run.targets.find((target) => target.flag !== undefined);
  const declared = routes.find(
    ({ kind, name }) => kind === flag?.kind && name === flag.name,
  )?.declared;
  const isEntered = (entered?.weight ?? 0) > 0;
  return isRaised || isEntered || replacedRevision !== undefined || (declared ?? 0) > 0;
}

function entryOf(
  { restarts }: RolloutStatus,
  { workload }: RestartObservation,
): RestartStatus | undefined {
  return restarts?.find(({ kind, name }) => kind === workload.kind && name === workload.name);
}

function nameOf({ workload }: RestartObservation): string {
  return `${workload.kind} ${workload.name}`;
}

function restartedEvent(one: RestartObservation, weight: number): EventDraft {
  const note = `${nameOf(one)} is restarted: the flag it reads at its start is at ${weight}%`;
  return { type: 'Normal', reason: 'WorkloadRestarted', action: 'Restart', note };
}

function blockedEvent({ reading, workload }: RestartObservation, problem: string): EventDraft {
  const reason = reading.type === 'missing' ? 'WorkloadNotFound' : 'RestartBlocked';
  const note = `${workload.kind} ${workload.name} is not restarted with the flag: ${problem}`;
  return { type: 'Warning', reason, action: 'Restart', note };
}

/** In a rollback it is as urgent as what lowers traffic. */
export function isUrgent(action: Action, status: RolloutStatus): boolean {
  return action.type === 'Restart' && isRolledBack(status);
}
