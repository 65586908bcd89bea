/** What must happen at most once: each rung of a firing, each hook of a run, each extension that was asked for. */

import { labels } from '#api/names.ts';
import type { RolloutSpecInput } from '#api/rollout.ts';
import type { RolloutStatus, TriggerStatus } from '#api/status.ts';
import type { KubeObject } from '#ports/cluster.ts';

export class Once {
  readonly #spec: RolloutSpecInput;
  readonly #jobs = new Map<string, Set<string>>();
  readonly #extends = new Map<string, number>();
  readonly #seenDecisions = new Set<string>();

  constructor(spec: RolloutSpecInput) {
    this.#spec = spec;
  }

  /** @returns what is wrong */
  jobCreated({ metadata }: KubeObject): string | undefined {
    const run = metadata.labels?.[labels.run] ?? '';
    const jobs = this.#jobs.get(run) ?? new Set();
    this.#jobs.set(run, jobs.add(metadata.name));
    const allowed = this.#spec.rollback?.hooks?.length ?? 0;
    if (jobs.size <= allowed) return undefined;
    return `run ${run} has ${jobs.size} Jobs for ${allowed} hooks: ${[...jobs].join(', ')}`;
  }

  /** @returns what is wrong */
  statusWritten(before: RolloutStatus, status: RolloutStatus): string | undefined {
    const isSameRun = before.runId === status.runId;
    for (const trigger of status.triggers ?? []) {
      const old = before.triggers?.find((one) => one.name === trigger.name);
      const wrong = rungsOf(isSameRun ? old : undefined, trigger);
      if (wrong !== undefined) return wrong;
    }
    return this.#extensions(status);
  }

  #extensions({ runId = '', decisions = [], extensions = [] }: RolloutStatus): string | undefined {
    for (const { uid, decision, outcome, runId: of = '' } of decisions) {
      if (uid === undefined || this.#seenDecisions.has(uid)) continue;
      this.#seenDecisions.add(uid);
      if (decision === 'Extend' && outcome === 'Applied') {
        this.#extends.set(of, (this.#extends.get(of) ?? 0) + 1);
      }
    }
    const own = this.#spec.success?.maxExtensions ?? 1;
    const asked = this.#extends.get(runId) ?? 0;
    const bySpec = extensions.filter(({ by }) => by === 'onFailure').length;
    if (bySpec > own) return `the end was moved ${bySpec} times by the spec, ${own} are allowed`;
    const byPeople = extensions.length - bySpec;
    return byPeople > asked
      ? `the end was moved ${byPeople} times, ${asked} were asked`
      : undefined;
  }
}

function rungsOf(old: TriggerStatus | undefined, trigger: TriggerStatus): string | undefined {
  const rungs = (trigger.responses ?? []).map(({ rung }) => rung);
  if (new Set(rungs).size < rungs.length) {
    return `${trigger.name} has carried out a rung twice: ${rungs.join(', ')}`;
  }
  const isSameFiring = old?.firingAt !== undefined && old.firingAt === trigger.firingAt;
  if (!isSameFiring || old.state !== 'Firing' || trigger.state !== 'Firing') return undefined;
  const lost = (old.responses ?? []).find(
    ({ rung, at }) => !trigger.responses?.some((one) => one.rung === rung && one.at === at),
  );
  return lost === undefined ? undefined : `${trigger.name} has forgotten that it did ${lost.rung}`;
}
