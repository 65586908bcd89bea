/** Invariant 2: what must be so whenever canary rises, judged by the truth of the world and not by the status alone. */

import { Cron } from 'croner';
import { parseDuration } from '#api/duration.ts';
import type { RolloutSpecInput } from '#api/rollout.ts';
import type { RolloutStatus } from '#api/status.ts';
import type { PeopleLog } from './people-log.ts';

export interface Moment {
  readonly nowMs: number;
  /** What the operator's clock is off by. */
  readonly offMs: number;
}

type Schedule = NonNullable<RolloutSpecInput['schedule']>;

export class Gates {
  readonly #schedule: Schedule;
  readonly #people: PeopleLog;
  readonly #hasCriteria: boolean;
  readonly #frozen: readonly { readonly fromMs: number; readonly toMs: number }[];

  /** @param startMs of the world, which is shorter than an hour */
  constructor(spec: RolloutSpecInput, people: PeopleLog, startMs: number) {
    this.#schedule = spec.schedule ?? { steps: [], end: '0s' };
    this.#people = people;
    this.#hasCriteria = (spec.success?.criteria ?? []).length > 0;
    this.#frozen = (this.#schedule.freeze ?? []).flatMap(({ cron, timeZone = 'UTC', duration }) => {
      const next = new Cron(cron, { timezone: timeZone }).nextRun(new Date(startMs - 3_600_000));
      const fromMs = next?.getTime() ?? 0;
      return [{ fromMs, toMs: fromMs + parseDuration(duration) }];
    });
  }

  /** What forbids this rise; undefined: nothing that gates know of. */
  forbidsRise(status: RolloutStatus, moment: Moment): string | undefined {
    if (this.#isFrozen(moment)) return 'inside a freeze';
    if (status.phase === 'Succeeded') return undefined;
    const [hold] = status.holds ?? [];
    if (hold !== undefined) return `with a hold in the status: ${hold.reason} ${hold.message}`;
    return this.#unpassedBefore(status);
  }

  /** What must be so to pass this checkpoint, or the end; criteria only where there are any. */
  requirementsOf(point: string): readonly string[] {
    const checkpoint = this.#schedule.checkpoints?.find(({ name }) => name === point);
    const required = point === 'end' ? ['SuccessCriteria'] : (checkpoint?.require ?? []);
    return required.filter((one) => one !== 'SuccessCriteria' || this.#hasCriteria);
  }

  /** What forbids that this step is entered now. */
  forbidsEntering(status: RolloutStatus, { nowMs, offMs }: Moment): string | undefined {
    const step = this.#schedule.steps.find(({ name }) => name === status.step);
    if (step?.approval === undefined) return undefined;
    const { quorum = 1, ...rest } = step.approval;
    const soonestMs = Math.min(nowMs, nowMs + offMs);
    const approvers = this.#people.approvers(step.name, status, rest, soonestMs);
    if (approvers.length >= quorum) return undefined;
    return `${step.name} was entered with ${approvers.length} of ${quorum} approvals (${approvers.join(', ')})`;
  }

  /** A clock that is off by little is believed; off by much it is known to be wrong, and nothing rises. */
  #isFrozen({ nowMs, offMs }: Moment): boolean {
    const isIn = (atMs: number) =>
      this.#frozen.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
    return isIn(nowMs) && (isIn(nowMs + offMs) || Math.abs(offMs) > 10_000);
  }

  /** A checkpoint that lies before the current step and was not passed. */
  #unpassedBefore({ step: current, plan = [] }: RolloutStatus): string | undefined {
    const step = this.#schedule.steps.find(({ name }) => name === current);
    if (step === undefined) return undefined;
    const before = (this.#schedule.checkpoints ?? []).filter(
      ({ at }) => parseDuration(at) <= parseDuration(step.at),
    );
    const missing = before.find(
      ({ name }) => plan.find((one) => one.name === name)?.passedAt === undefined,
    );
    return missing === undefined ? undefined : `past checkpoint ${missing.name}`;
  }
}
