/** What Prometheus is asked for a measure. */
import { assertNever } from './assert.ts';
import type { Measure } from './run-spec.ts';

/** The query, or `bad` and `total`, with their placeholders; none of a probe or a suite. */
export function queriesIn(measure: Measure): readonly string[] {
  switch (measure.type) {
    case 'query':
      return [measure.query];
    case 'ratio':
      return [measure.bad, measure.total];
    case 'probe':
    case 'suite':
      return [];
    default:
      return assertNever(measure);
  }
}

/** Its text is another one at every look: the length of the window is in it. */
export function asksForWindow(measure: Measure): boolean {
  return queriesIn(measure).some((text) => text.includes('$(window)'));
}
