/** What a decision is about: the revision, the run, and the step or trigger, looked up in the rollout as it stands. */
import type { DecisionKind } from '#api/decision.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { nearest } from '#runtime/nearest.ts';
import { BadInput, Failure } from './command.ts';
import { listAt, textAt } from './fields.ts';

export interface Subject {
  readonly revision: string;
  readonly runId?: string;
  readonly step?: string;
}

interface Wanted {
  /** The step or the trigger, where the person has named one. */
  readonly about: string | undefined;
  readonly revision: string | undefined;
}

const WAITING = ['ApprovalRequired', 'ApprovalExpired', 'Rejected'];

export function subjectOf(kind: DecisionKind, rollout: KubeObject, wanted: Wanted): Subject {
  const { name, deletionTimestamp } = rollout.metadata;
  if (deletionTimestamp !== undefined) {
    throw new Failure('refused', [
      `rollout ${name} is being deleted, so there is nothing to decide any more`,
    ]);
  }
  const run = runOf(rollout, wanted.revision);
  if (kind === 'Approve' || kind === 'Reject') {
    return { ...run, step: stepOf(kind, rollout, wanted.about) };
  }
  if (kind === 'Acknowledge') return { ...run, step: triggerOf(rollout, wanted.about) };
  return run;
}

/** What is decided counts for the run that was looked at, and for no later try of the same revision. */
function runOf(rollout: KubeObject, wanted: string | undefined): Subject {
  const { status, spec } = rollout;
  const current = textAt(status, 'revision');
  const revision = wanted ?? current ?? textAt(spec, 'revision');
  if (revision === undefined) {
    throw new Failure('refused', [
      `rollout ${rollout.metadata.name} has no run yet, and its spec names no revision: name one with --revision`,
    ]);
  }
  const runId = textAt(status, 'runId');
  return revision !== current || runId === undefined ? { revision } : { revision, runId };
}

function stepOf(
  kind: 'Approve' | 'Reject',
  rollout: KubeObject,
  about: string | undefined,
): string {
  const steps = stepsOf(rollout);
  if (about !== undefined) return known(about, steps, 'step');
  const waiting = listAt(rollout['status'], 'holds')
    .filter((hold) => WAITING.includes(textAt(hold, 'reason') ?? ''))
    .flatMap((hold) => textAt(hold, 'by') ?? []);
  const gated = gatedSteps(rollout).filter((step) => !isPassed(rollout, step));
  const [step] = [...waiting, ...gated];
  if (step !== undefined) return step;
  const verb = kind.toLowerCase();
  throw new BadInput([
    `no step of ${rollout.metadata.name} waits for approval; name one to ${verb} with --step: ${steps.join(', ') || 'there are none'}`,
  ]);
}

function triggerOf(rollout: KubeObject, about: string | undefined): string {
  const triggers = listAt(rollout['status'], 'triggers');
  const names = triggers.flatMap((trigger) => textAt(trigger, 'name') ?? []);
  if (about !== undefined) return known(about, names, 'trigger');
  const firing = triggers
    .filter(
      (one) => textAt(one, 'state') === 'Firing' && textAt(one, 'acknowledgedAt') === undefined,
    )
    .flatMap((one) => textAt(one, 'name') ?? []);
  const [only, ...others] = firing;
  if (only !== undefined && others.length === 0) return only;
  throw new BadInput([
    only === undefined
      ? `no trigger of ${rollout.metadata.name} fires unacknowledged; name the one you mean: ${names.join(', ') || 'there are none'}`
      : `more than one trigger fires; name the one you mean: ${firing.join(', ')}`,
  ]);
}

/** As the plan of the run says; before there is one, as the spec does. */
function stepsOf(rollout: KubeObject): readonly string[] {
  const planned = listAt(rollout['status'], 'plan')
    .filter((point) => textAt(point, 'kind') === 'Step')
    .flatMap((point) => textAt(point, 'name') ?? []);
  return planned.length > 0 ? planned : namesOf(listAt(rollout['spec'], 'schedule', 'steps'));
}

function gatedSteps(rollout: KubeObject): readonly string[] {
  const steps = listAt(rollout['spec'], 'schedule', 'steps');
  return namesOf(
    steps.filter((step) => typeof step === 'object' && step !== null && 'approval' in step),
  );
}

function isPassed(rollout: KubeObject, name: string): boolean {
  return listAt(rollout['status'], 'plan').some(
    (point) =>
      textAt(point, 'kind') === 'Step' &&
      textAt(point, 'name') === name &&
      textAt(point, 'passedAt') !== undefined,
  );
}

function namesOf(list: readonly unknown[]): readonly string[] {
  return list.flatMap((one) => textAt(one, 'name') ?? []);
}

/** Where nothing is known yet the operator will say whether there is one. */
function known(name: string, names: readonly string[], what: 'step' | 'trigger'): string {
  if (names.length === 0 || names.includes(name)) return name;
  const guess = nearest(name, names);
  const hint = guess === undefined ? `${what}s are ${names.join(', ')}` : `did you mean ${guess}?`;
  throw new BadInput([`there is no ${what} ${JSON.stringify(name)}; ${hint}`]);
}
