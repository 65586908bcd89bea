/**
 * Causes: why a trigger says what it says, and what follows from it (engine.md, "Causes"). The cause decides, not
 * the number: a canary that nobody asks is not one that fails, and a metric that is gone is neither.
 */
import type { Reading } from './reading.ts';
import { sharedSentence } from './shared-incident.ts';
import type { TriggerOutcome } from './trigger.ts';

/** `ladder`: the trigger's own responses. `hold` and `holdAndPage` wait for `noDataFor`, where `noData` says Hold. */
export type CauseResponse = 'ladder' | 'goOn' | 'hold' | 'holdAndPage';

interface CauseOf<Type extends string, Reason extends string> {
  readonly type: Type;
  /** Of the hold, the condition and the event. */
  readonly reason: Reason;
  readonly message: string;
}

/** There is a reading for everything but this. */
export type Silence =
  | CauseOf<'noTrafficExpected', 'NoTrafficExpected'>
  | CauseOf<'noTrafficThoughExpected', 'NoTraffic'>
  /** `BadQuery`: Prometheus answers, and what it is asked proves nothing. */
  | CauseOf<'chainBroken', 'ChainBroken' | 'BadQuery'>
  | CauseOf<'prometheusDown', 'PrometheusDown'>;

export type Cause =
  | Silence
  | CauseOf<'breach', 'TriggerFiring'>
  | CauseOf<'sharedIncident', 'SharedIncident'>;

export const responseTo: Readonly<Record<Cause['type'], CauseResponse>> = {
  breach: 'ladder',
  noTrafficExpected: 'goOn',
  noTrafficThoughExpected: 'hold',
  chainBroken: 'holdAndPage',
  prometheusDown: 'holdAndPage',
  sharedIncident: 'holdAndPage',
};

/** @param isExpected whether the arm that is asked gets traffic by plan */
export function causeOfSilence(
  reading: Exclude<Reading, { type: 'value' }>,
  isExpected = true,
): Silence {
  const { message } = reading;
  if (reading.type === 'error') {
    return reading.fault === 'badQuery'
      ? { type: 'chainBroken', reason: 'BadQuery', message }
      : { type: 'prometheusDown', reason: 'PrometheusDown', message };
  }
  if (!isExpected) return { type: 'noTrafficExpected', reason: 'NoTrafficExpected', message };
  return reading.type === 'noTraffic'
    ? { type: 'noTrafficThoughExpected', reason: 'NoTraffic', message }
    : { type: 'chainBroken', reason: 'ChainBroken', message };
}

/** Why a trigger has no reading now; undefined where it has one, or where none is expected. */
export function silenceOf({ trigger, status, reading }: TriggerOutcome): Silence | undefined {
  if (status.unknownSince === undefined) return undefined;
  // With a reading it is the range query that fails: the entry says so.
  if (reading === undefined || reading.type === 'value') {
    const message = status.message ?? `${trigger.name} has no reading`;
    return { type: 'prometheusDown', reason: 'PrometheusDown', message };
  }
  const cause = causeOfSilence(reading);
  return { ...cause, message: `${trigger.name} has no reading: ${cause.message}` };
}

/** Why a trigger fires: always a breach, and an incident of the service as long as stable breaches too. */
export function firingCauses(outcome: TriggerOutcome, now: number): readonly Cause[] {
  const { trigger, status } = outcome;
  if (status.state !== 'Firing') return [];
  const message = status.message ?? `${trigger.name} fires`;
  const breach: Cause = { type: 'breach', reason: 'TriggerFiring', message };
  const shared = sharedSentence(outcome, now);
  return shared === undefined
    ? [breach]
    : [{ type: 'sharedIncident', reason: 'SharedIncident', message: shared }, breach];
}
