/** Carries out what people and other tools do to a simulated rollout; and the calm person who comes in the end. */

import type { DecisionSpec } from '#api/decision.ts';
import { decisionResource } from '#api/names.ts';
import type { RolloutStatus } from '#api/status.ts';
import type { FakeApiServer } from '#test/fakes/cluster.ts';
import type { Vote } from './events.ts';
import { setFlag } from './flag.ts';
import type { PeopleLog } from './people-log.ts';
import { key, name, namespace, rolloutResource, routeResource } from './scenario.ts';
import type { SimTime } from './time.ts';
import { type Truth, within } from './truth.ts';
import type { WorldPlan } from './world.ts';

/** What only a person can settle, and how. Every other hold must go by itself in a healthy world. */
const answers: Readonly<Record<string, 'resume' | 'approve' | 'decide'>> = {
  Paused: 'resume',
  WouldServeOlderVersion: 'resume',
  LoweredByAnother: 'resume',
  ApprovalRequired: 'approve',
  ApprovalExpired: 'approve',
  Rejected: 'approve',
  CheckpointFailed: 'decide',
  CheckpointWaiting: 'decide',
  CriteriaMissed: 'decide',
  CriteriaUnknown: 'decide',
};
const PATIENCE_MS = 20_000;
const CALM_PEOPLE = ['carol@example.com', 'dave@example.com'];

export class People {
  readonly #plan: WorldPlan;
  readonly #server: FakeApiServer;
  readonly #time: SimTime;
  readonly #log: PeopleLog;
  readonly #note: (what: string) => void;
  #decisions = 0;
  #requests = 0;
  #actedAtMs = 0;

  constructor(
    plan: WorldPlan,
    world: {
      readonly server: FakeApiServer;
      readonly time: SimTime;
      readonly log: PeopleLog;
      readonly note: (what: string) => void;
    },
  ) {
    this.#plan = plan;
    this.#server = world.server;
    this.#time = world.time;
    this.#log = world.log;
    this.#note = world.note;
  }

  get wantedRevision(): string {
    const spec = this.#server.get(rolloutResource, key)?.['spec'] as
      | { readonly revision: string }
      | undefined;
    return spec?.revision ?? '';
  }

  request(verb: string): void {
    this.#note(`a person asks: ${verb}`);
    this.#requests += 1;
    const annotations = { 'genesis.dev/request': `${verb} t${this.#requests}` };
    this.#patch({ metadata: { annotations } });
  }

  edit(spec: object, what: string): void {
    this.#note(what);
    this.#patch({ spec });
  }

  newRevision(): void {
    const revision = `${this.wantedRevision}x`;
    this.edit({ ...this.#plan.specOf(revision), paused: false }, `a new revision ${revision}`);
  }

  otherWriter(weight: number): void {
    const route = this.#server.get(routeResource, key);
    if (route === undefined) return;
    this.#note(`another writer sets ${weight} %`);
    const backendRefs = [
      { name: 'stable', port: 80, weight: 100 - weight },
      { name: 'canary', port: 80, weight },
    ];
    const spec = { parentRefs: [{ name: 'gateway' }], rules: [{ backendRefs }] };
    this.#server.mergePatch(routeResource, key, { spec }, { fieldManager: 'other' });
    setFlag(this.#server, weight);
  }

  decide(
    { decision, step, by, expiresInMs, isForOther }: Vote,
    current = this.wantedRevision,
  ): void {
    if (this.#server.get(rolloutResource, key) === undefined) return;
    const { nowMs } = this.#time;
    const revision = isForOther ? 'v1' : current;
    const spec: DecisionSpec = {
      rollout: name,
      revision,
      decision,
      by,
      ...(step === undefined ? {} : { step }),
      ...(expiresInMs === undefined
        ? {}
        : { expiresAt: new Date(nowMs + expiresInMs).toISOString() }),
    };
    this.#decisions += 1;
    const uid = `d-${this.#decisions}`;
    this.#note(
      `${uid}: ${decision} ${step ?? ''} by ${by} for ${revision}, until ${spec.expiresAt ?? 'ever'}`,
    );
    const isChecked = !within(this.#plan.truth.policyMissing, nowMs);
    this.#log.add({ uid, atMs: nowMs, spec, isChecked });
    const metadata = { name: uid, namespace, uid };
    const object = { apiVersion: 'genesis.dev/v1alpha1', kind: 'GenesisDecision', metadata, spec };
    this.#server.create(decisionResource, object, { fieldManager: 'person' });
  }

  delete(): void {
    if (this.#server.get(rolloutResource, key) === undefined) return;
    this.#note('the rollout is deleted');
    this.#server.delete(rolloutResource, key);
  }

  /** From now on the world is healthy: whatever a person has done to hold the run is undone, and nobody else will. */
  calm(status: RolloutStatus): void {
    const object = this.#server.get(rolloutResource, key);
    if (object === undefined || object.metadata.deletionTimestamp !== undefined) return;
    const spec = object['spec'] as {
      readonly paused?: boolean;
      readonly analysis: { readonly interval: string };
    };
    if (spec.paused === true || spec.analysis.interval !== '5s') {
      this.edit(
        { ...this.#plan.specOf(this.wantedRevision), paused: false },
        'a calm person sets the spec right',
      );
    }
    if (this.#time.nowMs < this.#actedAtMs + PATIENCE_MS) return;
    if (object.metadata.annotations?.['genesis.dev/request'] !== undefined) return;
    const isRejected = status.conditions?.some(({ reason }) => reason === 'RevisionRejected');
    const hasEnded = status.phase === 'Succeeded' || status.phase === 'RolledBack';
    if (isRejected === true && hasEnded) {
      this.#actedAtMs = this.#time.nowMs;
      this.edit({ historyLimit: 5 + (this.#requests % 2) }, 'a calm person applies it again');
      this.#requests += 1;
    }
    for (const { reason, by, since } of status.holds ?? []) {
      const answer = answers[reason];
      const isNew = this.#time.nowMs < Date.parse(since) + PATIENCE_MS;
      if (answer === undefined || isNew) continue;
      this.#actedAtMs = this.#time.nowMs;
      this.#settle(answer, by, status);
      return;
    }
  }

  #settle(answer: 'resume' | 'approve' | 'decide', by: string, status: RolloutStatus): void {
    if (answer === 'resume') {
      this.request('resume');
      return;
    }
    const base = {
      step: undefined,
      by: 'carol@example.com',
      expiresInMs: undefined,
      isForOther: false,
    };
    if (answer === 'approve') {
      const rejecters = (status.approvals ?? [])
        .filter((vote) => vote.step === by && vote.decision === 'Reject')
        .map((vote) => vote.by);
      for (const person of new Set([...CALM_PEOPLE, ...rejecters])) {
        this.decide({ ...base, decision: 'Approve', step: by, by: person }, status.revision);
      }
      return;
    }
    const isExtended = status.extensions?.some((one) => one.by === base.by) === true;
    this.decide({ ...base, decision: isExtended ? 'Abort' : 'Extend' }, status.revision);
  }

  #patch(patch: object): void {
    if (this.#server.get(rolloutResource, key) === undefined) return;
    this.#server.mergePatch(rolloutResource, key, patch, { fieldManager: 'person' });
  }
}

/** What everybody knows of the policy that guards decisions. */
export function policyAt(
  { policyMissing }: Truth,
  nowMs: number,
):
  | {
      readonly type: 'enforced';
      readonly sinceMs: number;
    }
  | { readonly type: 'notEnforced'; readonly message: string } {
  if (within(policyMissing, nowMs)) {
    return { type: 'notEnforced', message: 'the ValidatingAdmissionPolicy is gone' };
  }
  const ends = policyMissing.map(({ toMs }) => toMs).filter((toMs) => toMs <= nowMs);
  return { type: 'enforced', sinceMs: Math.max(0, ...ends) };
}
