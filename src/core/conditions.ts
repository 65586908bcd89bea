/**
 * Conditions to the kstatus convention: Reconciling while it moves or waits, Ready when it is done, Stalled
 * when only a person can help. `lastTransitionTime` moves only when a condition's status does.
 */
import { limits } from '#api/limits.ts';
import type { Hold, StatusCondition } from '#api/status.ts';
import { silenceOf } from './causes.ts';
import type { Conclusion } from './conclude.ts';
import type { Because } from './decision.ts';
import { ignoredTraffic, waitingRevision } from './new-revision.ts';
import type { Verdict } from './rules/rule.ts';
import { toIso } from './time.ts';

type Truth = 'True' | 'False' | 'Unknown';
type Draft = Because & { readonly type: string; readonly status: Truth };

export function conditionsFor(input: Conclusion, holds: readonly Hold[]): StatusCondition[] {
  const { snapshot } = input;
  const drafts = [
    accepted(input),
    ready(input),
    reconciling(input),
    stalled(input),
    paused(input, holds),
    metricsAvailable(input),
    trafficVerified(input),
  ];
  return drafts.map((draft) => {
    const known = snapshot.status.conditions?.find((one) => one.type === draft.type);
    const isSame = known?.status === draft.status;
    return {
      type: draft.type,
      status: draft.status,
      reason: draft.reason,
      message: draft.message.slice(0, limits.messageLengthMax),
      lastTransitionTime: isSame ? known.lastTransitionTime : toIso(snapshot.now),
      observedGeneration: snapshot.object.generation,
    };
  });
}

function accepted({ snapshot, verdict, view }: Conclusion): Draft {
  const type = 'Accepted';
  if (snapshot.wanted.type === 'invalid') {
    const { reason = 'InvalidSpec', problems } = snapshot.wanted;
    return { type, status: 'False', reason, message: problems.join('; ') };
  }
  if (verdict.because.reason === 'RouteConflict') {
    return { type, status: 'False', ...verdict.because };
  }
  const ignored = view === undefined ? undefined : ignoredTraffic(view);
  if (ignored !== undefined) return { type, status: 'False', ...ignored };
  const waiting = waitingRevision(snapshot, verdict.status, !hasEnded(verdict));
  if (waiting !== undefined) {
    const { reason, message } = waiting;
    return { type, status: waiting.isRejected ? 'False' : 'True', reason, message };
  }
  return { type, status: 'True', reason: 'Accepted', message: 'the spec is understood' };
}

function ready(input: Conclusion): Draft {
  const { verdict } = input;
  const refused = refusedRevision(input);
  if (refused !== undefined) return { type: 'Ready', status: 'False', ...refused };
  const isDone = verdict.phase === 'Succeeded';
  return { type: 'Ready', status: isDone ? 'True' : 'False', ...verdict.because };
}

/** The run has ended, and the spec wants another revision that nobody is going to start. */
function refusedRevision({ snapshot, verdict }: Conclusion): Because | undefined {
  if (!hasEnded(verdict)) return undefined;
  const waiting = waitingRevision(snapshot, verdict.status, false);
  return waiting?.isRejected === true
    ? { reason: waiting.reason, message: waiting.message }
    : undefined;
}

function reconciling({ verdict }: Conclusion): Draft {
  const isRefused = verdict.phase === 'Pending';
  return {
    type: 'Reconciling',
    status: hasEnded(verdict) || isRefused ? 'False' : 'True',
    ...verdict.because,
  };
}

function hasEnded({ phase }: Verdict): boolean {
  return phase === 'Succeeded' || phase === 'RolledBack';
}

function stalled(input: Conclusion): Draft {
  const { snapshot, verdict } = input;
  const type = 'Stalled';
  const refused = refusedRevision(input);
  if (refused !== undefined) return { type, status: 'True', ...refused };
  if (verdict.phase === 'RolledBack' || verdict.phase === 'Pending') {
    return { type, status: 'True', ...verdict.because };
  }
  if (snapshot.wanted.type === 'invalid') {
    const { reason = 'InvalidSpec', problems } = snapshot.wanted;
    const message = `${problems.join('; ')}; the run goes on under the spec of generation ${snapshot.status.runGeneration ?? 0}`;
    return { type, status: 'True', reason, message };
  }
  return { type, status: 'False', reason: 'Progressing', message: 'nothing needs a person' };
}

function paused({ verdict }: Conclusion, holds: readonly Hold[]): Draft {
  const type = 'Paused';
  const pause = holds.find((hold) => hold.reason === 'Paused');
  if (verdict.phase !== 'Paused' || pause === undefined) {
    return { type, status: 'False', reason: 'NotPaused', message: 'not paused' };
  }
  return { type, status: 'True', reason: 'Paused', message: pause.message };
}

function metricsAvailable({ view }: Conclusion): Draft {
  const type = 'MetricsAvailable';
  const triggers = view?.triggers ?? [];
  const silent = triggers.flatMap((outcome) => silenceOf(outcome) ?? []);
  const [first] = silent;
  if (first !== undefined) {
    const message = silent.map((silence) => silence.message).join('; ');
    return { type, status: 'False', reason: first.reason, message };
  }
  const isEvaluated =
    triggers.length > 0 && triggers.every(({ status }) => status.reason !== 'NotEvaluated');
  return isEvaluated
    ? { type, status: 'True', reason: 'AllAnswer', message: 'every trigger has a reading' }
    : { type, status: 'Unknown', reason: 'NotEvaluated', message: 'no trigger is evaluated now' };
}

function trafficVerified({ view }: Conclusion): Draft {
  const type = 'TrafficVerified';
  const routes = view?.snapshot.routes ?? [];
  if (view === undefined || routes.length === 0) {
    return { type, status: 'Unknown', reason: 'NoRun', message: 'no route is steered yet' };
  }
  const astray = routes.filter(({ reading }) => reading.type !== 'read' || !reading.settled);
  if (astray.length > 0) {
    const names = astray.map(({ target }) => `${target.kind} ${target.name}`).join(', ');
    const message = `not read back as accepted: ${names}`;
    return { type, status: 'False', reason: 'RouteNotAccepted', message };
  }
  const message = 'weights are read back from every route';
  return { type, status: 'True', reason: 'ReadBack', message };
}
