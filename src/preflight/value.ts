/** What the whole of a query answers: exactly one finite number, or why not. The reading is the engine's own. */

import type { InstantAnswer, Sample } from '#core/answer.ts';
import { assertNever } from '#core/assert.ts';
import { measureText, type Reading } from '#core/reading.ts';
import type { QueryMeasure } from './check-query.ts';
import { broken, cannotTell, type Draft, fine, listed, type Place } from './finding.ts';

/** @param answers one for each of the measure's queries, none of them an error */
export function valueOf(
  measure: QueryMeasure,
  reading: Reading | undefined,
  answers: ReadonlyMap<string, InstantAnswer>,
): Draft {
  const place = { link: 'value', subject: measureText(measure) } as const;
  if (reading === undefined) return cannotTell(place, 'the query was not asked');
  switch (reading.type) {
    case 'value':
      return Number.isFinite(reading.value)
        ? fine(place, `the query answers ${reading.value}`)
        : notFinite(place, `answers ${reading.value > 0 ? '+Inf' : '-Inf'}, a number divided by 0`);
    case 'noTraffic':
      return broken(place, {
        cause: 'noTrafficYet',
        message: `there is no traffic: ${reading.message}`,
        mend: 'See that requests reach the service; without any nothing can be judged.',
      });
    case 'noData':
    case 'error':
      return noValue(measure, place, { reading, answers });
    default:
      return assertNever(reading);
  }
}

function noValue(
  measure: QueryMeasure,
  place: Place,
  {
    reading,
    answers,
  }: {
    readonly reading: Extract<Reading, { type: 'noData' | 'error' }>;
    readonly answers: ReadonlyMap<string, InstantAnswer>;
  },
): Draft {
  for (const [text, answer] of answers) {
    if (answer.type === 'error') continue;
    const picked = answer.samples.filter((sample) => isPicked(sample, measure.series));
    if (picked.length > 1) return severalSeries(place, text, picked);
    if (picked.length === 0 && answer.samples.length > 0) return notPicked(measure, answer.samples);
    if (picked.some(({ value }) => Number.isNaN(value))) {
      return notFinite(
        place,
        'answers NaN: 0 divided by 0, which is no traffic, or a NaN that is exported',
      );
    }
  }
  if (/\bNaN\b/.test(reading.message))
    return notFinite(place, `gives no number: ${reading.message}`);
  return broken(place, {
    cause: 'queryFails',
    message: `${reading.message}, although each metric that it reads has series: ${guessOf(place.subject)}`,
    mend: 'Try the query part by part in Prometheus, and correct the part that answers nothing.',
  });
}

function isPicked({ labels }: Sample, series: QueryMeasure['series']): boolean {
  return Object.entries(series ?? {}).every(([label, value]) => (labels[label] ?? '') === value);
}

function notFinite(place: Place, what: string): Draft {
  return broken(place, {
    cause: 'notFinite',
    message: `the query ${what}`,
    mend: 'A share of failures is best written as `ratio: {bad, total}`, which tells no traffic from no data.',
  });
}

/** Too many, and by what they differ. */
function severalSeries(place: Place, text: string, samples: readonly Sample[]): Draft {
  const names = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))];
  const differing = names.filter(
    (label) => new Set(samples.map(({ labels }) => labels[label])).size > 1,
  );
  const example = differing[0] ?? 'label';
  const value = samples[0]?.labels[example] ?? '';
  return broken(place, {
    cause: 'severalSeries',
    message: `${text.trim()} answers ${samples.length} series where one is expected; they differ by ${listed(differing)}`,
    mend: `Aggregate them, such as \`sum(…)\` without ${listed(differing)}, or name one: \`series: {${example}: ${JSON.stringify(value)}}\`.`,
  });
}

/** `series` names labels that no series of the answer has. */
function notPicked({ series = {} }: QueryMeasure, samples: readonly Sample[]): Draft {
  const wanted = Object.entries(series);
  const wrong =
    wanted.find(([label, value]) =>
      samples.every(({ labels }) => (labels[label] ?? '') !== value),
    ) ?? wanted[0];
  const [label, value] = wrong ?? ['', ''];
  const there = [...new Set(samples.flatMap(({ labels }) => labels[label] ?? []))];
  const place = { link: 'label', subject: `series ${label}=${JSON.stringify(value)}` } as const;
  return there.length === 0
    ? broken(place, {
        cause: 'labelMissing',
        message: `label ${label} of \`series\` is missing: no series of the answer has it`,
        mend: `Keep the label in the query, such as \`sum by (${label}) (…)\`.`,
      })
    : broken(place, {
        cause: 'valueMissing',
        message: `no series of the answer has ${label}=${JSON.stringify(value)}, as \`series\` says; there ${label} is ${listed(there)}`,
        mend: 'Correct `series`, or see that what should export it is running and scraped.',
      });
}

/** The usual ways in which a query with series answers nothing. */
function guessOf(text: string): string {
  if (/[<>]|[=!]=/.test(text))
    return 'a comparison in it filters everything out (`bool` gives 0 or 1 instead)';
  if (/\b(?:rate|irate|increase|deriv|delta)\s*\(/.test(text)) {
    return 'a rate needs two samples within its range, so the series may be too young, or the range shorter than two scrapes';
  }
  return 'the labels of its parts may not match one another';
}
