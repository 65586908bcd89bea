/** The metric is there and the labels select nothing: which of them does not fit, and what would. */
import type { Matcher } from '#promql/ast.ts';
import { nearest, nearestFirst } from '#runtime/nearest.ts';
import { broken, type Draft, unless } from './finding.ts';
import type { Questions } from './questions.ts';
import { labelText, matches, matchesNothing, type Selector, selectorText } from './selectors.ts';

const VALUES_MAX = 5;

interface Seen {
  readonly matcher: Matcher;
  /** Of the label on series of the metric; '' where a series does not have it. */
  readonly values: readonly string[];
}

export async function labelFault(asked: Questions, selector: Selector): Promise<Draft> {
  const place = { link: 'label', subject: selectorText(selector) } as const;
  const { metric, matchers } = selector;
  const isNamed = metric !== undefined;
  const name: Selector = {
    metric,
    matchers: isNamed ? [] : matchers.filter(({ label }) => label === '__name__'),
  };
  const seen =
    isNamed || name.matchers.length > 0
      ? await Promise.all(matchers.map((one) => seenOf(asked, one, name)))
      : [];
  const wrong = seen.find(({ matcher, values }) =>
    values.every((value) => matches(matcher, value) === false),
  );
  if (wrong !== undefined) return await alone(asked, { place, name, wrong });
  const others = await Promise.all(
    matchers.map((one) =>
      seenOf(asked, one, { metric, matchers: matchers.filter((other) => other !== one) }),
    ),
  );
  const last = others.findLast(({ values }) => values.length > 0);
  return broken(place, {
    cause: 'valueMissing',
    message:
      last === undefined
        ? `no series has the labels of ${place.subject} together`
        : `no series has the labels of ${place.subject} together; with the others, ${valuesText(last)}`,
    mend: `Correct the labels. ${HEALTHY}`,
  });
}

const HEALTHY =
  'Where a healthy service has no such series, write the share of failures as `ratio: {bad, total}`.';

async function seenOf(asked: Questions, matcher: Matcher, of: Selector): Promise<Seen> {
  const text = selectorText(of);
  if (text === '') return { matcher, values: [] };
  const answer = await asked.instant(`group by (${labelText(matcher.label)}) (${text})`);
  const samples = answer.type === 'samples' ? answer.samples : [];
  return { matcher, values: samples.map(({ labels }) => labels[matcher.label] ?? '') };
}

/** One matcher that fits no series of the metric, whatever the others say. */
async function alone(
  asked: Questions,
  of: {
    readonly place: { readonly link: 'label'; readonly subject: string };
    readonly name: Selector;
    readonly wrong: Seen;
  },
): Promise<Draft> {
  const { place, name, wrong } = of;
  const { label, op, value } = wrong.matcher;
  const metric = selectorText(name);
  const there = wrong.values.filter((one) => one !== '');
  if (there.length === 0 && !matchesNothing(wrong.matcher)) {
    const labels = await labelsOf(asked, metric);
    const guess = nearest(label, labels);
    const has = labels.length === 0 ? '' : `; it has ${labels.join(', ')}`;
    return broken(place, {
      cause: 'labelMissing',
      message: `label ${label} is missing: no series of ${metric} has it${has}`,
      mend: unless(
        guess,
        `select by a label that the series have, or have the exporter or the scrape job set ${label}.`,
      ),
    });
  }
  const guess = op === '=' ? nearest(value, there) : undefined;
  return broken(place, {
    cause: 'valueMissing',
    message: `label ${label} has no such value: no series of ${metric} has ${label}${op}${JSON.stringify(value)}; ${valuesText(wrong)}`,
    mend: unless(
      guess && JSON.stringify(guess),
      `correct the value, or see that what should export it is running and scraped.${op === '=' ? '' : ` ${HEALTHY}`}`,
    ),
  });
}

/** `service is old, older and 4 more`, those that are nearest first. */
function valuesText({ matcher, values }: Seen): string {
  const there = values.filter((value) => value !== '');
  if (there.length === 0) return `${matcher.label} is not set`;
  const shown = nearestFirst(matcher.value, there.toSorted()).map((one) => JSON.stringify(one));
  const rest = shown.length - VALUES_MAX;
  const more = rest > 0 ? ` and ${rest} more` : '';
  return `${matcher.label} is ${shown.slice(0, VALUES_MAX).join(', ')}${more}`;
}

/** Of one series: they are alike. */
async function labelsOf(asked: Questions, metric: string): Promise<readonly string[]> {
  const answer = await asked.instant(`topk(1, ${metric})`);
  const [one] = answer.type === 'samples' ? answer.samples : [];
  return Object.keys(one?.labels ?? {}).filter((label) => label !== '__name__');
}
