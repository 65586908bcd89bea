/**
 * A weight written is not a weight applied. Where a ratio's `total` counts canary's requests over a window
 * short enough to fall to 0 within the stage's budget, the end of traffic is read from it.
 */
import { fillerFor } from './fill.ts';
import { readAt } from './reading.ts';
import { tickAt, toIso } from './time.ts';
import type { RunView } from './view.ts';

export type TrafficVerification =
  | { readonly type: 'verified'; readonly message: string }
  /** No metric can tell in time: reading the routes back is all there is. */
  | { readonly type: 'untold'; readonly message: string }
  | { readonly type: 'waiting'; readonly message: string };

export function verifyFromTraffic(view: RunView): TrafficVerification {
  const { run, now } = view;
  const witnesses = run.triggers.flatMap(({ measure }) =>
    measure.type === 'ratio' &&
    measure.isArmBound &&
    measure.rangeMs * 2 <= run.rollback.stopTrafficMs
      ? [measure]
      : [],
  );
  const [witness] = witnesses;
  if (witness === undefined) {
    return {
      type: 'untold',
      message: 'no metric has a window short enough to tell it from traffic',
    };
  }
  const fill = fillerFor(run, 'canary', { weight: 0, windowMs: now - view.startedAtMs });
  const total = { type: 'query', query: fill(witness.total), series: witness.series } as const;
  const atMs = tickAt(now - run.offsetMs, run.intervalMs);
  const startedAtMs = Date.parse(view.status.rollback?.startedAt ?? toIso(now));
  const reading = readAt(total, atMs, view.ask);
  if (reading === undefined || reading.type === 'error') {
    return {
      type: 'waiting',
      message: "the metric that counts canary's requests could not be asked",
    };
  }
  // An answer from before the decision says nothing about what came after it.
  if (atMs >= startedAtMs && reading.type !== 'value') {
    return { type: 'untold', message: "no metric tells canary's requests any more" };
  }
  if (atMs >= startedAtMs && reading.type === 'value' && reading.value === 0) {
    return { type: 'verified', message: 'canary gets no more requests' };
  }
  return { type: 'waiting', message: 'canary still gets requests' };
}
