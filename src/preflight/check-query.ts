/** One measure with its placeholders filled in: every selector of it, then what the whole of it answers. */
import type { Ask, InstantAnswer } from '#core/answer.ts';
import { type FilledMeasure, measureText, type Reading, readAt } from '#core/reading.ts';
import { alertsRule } from './alerts-rule.ts';
import { checkSelector } from './check-selector.ts';
import { broken, brokenIn, type Draft, isSame, queryFault } from './finding.ts';
import type { Questions } from './questions.ts';
import {
  promqlProblem,
  relaxed,
  type Selector,
  selectorsOf,
  selectorText,
  type UsedSelector,
} from './selectors.ts';
import { valueOf } from './value.ts';

export type QueryMeasure = Extract<FilledMeasure, { readonly type: 'query' | 'ratio' }>;

export async function checkQuery(
  asked: Questions,
  measure: QueryMeasure,
): Promise<readonly Draft[]> {
  const texts = measure.type === 'query' ? [measure.query] : [measure.total, measure.bad];
  const place = { link: 'value', subject: measureText(measure) } as const;
  for (const text of texts) {
    const problem = promqlProblem(text);
    if (problem === undefined) continue;
    return [
      broken(place, {
        cause: 'queryFails',
        message: `${text} is no PromQL with its placeholders filled in: ${problem}`,
        mend: 'Correct the query.',
      }),
    ];
  }
  const series = await checkSelectors(asked, usedBy(measure));
  if (brokenIn(series) !== undefined) return series;
  const answers = new Map<string, InstantAnswer>();
  await Promise.all(texts.map(async (text) => answers.set(text, await asked.instant(text))));
  for (const answer of answers.values()) {
    if (answer.type === 'error') return [...series, queryFault(place, answer)];
  }
  const reading = readingOf(measure, asked.atMs, answers);
  const value = valueOf(measure, reading, answers);
  // What may be read instead is not there either: then that is why there is no value.
  const missing = series.find(
    ({ verdict, link }) => verdict === 'advice' && (link === 'metric' || link === 'label'),
  );
  return value.verdict === 'broken' && missing !== undefined
    ? [...series.filter((one) => one !== missing), { ...missing, verdict: 'broken' }]
    : [...series, value];
}

function readingOf(
  measure: QueryMeasure,
  atMs: number,
  answers: ReadonlyMap<string, InstantAnswer>,
): Reading | undefined {
  const ask: Ask = (question) =>
    question.type === 'instant' ? answers.get(question.query) : undefined;
  return readAt(measure, atMs, ask);
}

function usedBy(measure: QueryMeasure): readonly UsedSelector[] {
  if (measure.type === 'query') return selectorsOf(measure.query, 'must');
  const total = selectorsOf(measure.total, 'must');
  const texts = total.map(selectorText);
  const bad = selectorsOf(measure.bad, 'mayBeAbsent');
  return [...total, ...bad.filter((one) => !texts.includes(selectorText(one)))];
}

/** A broken link silences the later ones, so findings come selector by selector; what is the same is said once. */
async function checkSelectors(
  asked: Questions,
  used: readonly UsedSelector[],
): Promise<readonly Draft[]> {
  const certain = used.filter(({ need }) => need === 'must');
  const found = await Promise.all(used.map((one) => checkUsed(asked, one, certain)));
  const drafts = found.flat();
  return drafts.filter((draft, index) => drafts.findIndex((one) => isSame(one, draft)) === index);
}

async function checkUsed(
  asked: Questions,
  selector: UsedSelector,
  certain: readonly Selector[],
): Promise<readonly Draft[]> {
  if (selector.metric === 'ALERTS') return await alertsRule(asked, selector);
  switch (selector.need) {
    case 'must':
      return await checkSelector(asked, selector);
    case 'mayBeAbsent':
      return await checkSelector(asked, relaxed(selector, certain));
    default: {
      const drafts = await checkSelector(asked, selector);
      return drafts.map((one) => (one.verdict === 'broken' ? { ...one, verdict: 'advice' } : one));
    }
  }
}
