/** One selector of a query, from the metric to its newest sample: metric, label, target, scrape, sample. */
import type { Sample } from '#core/answer.ts';
import { spanText } from '#core/time.ts';
import { brokenIn, cannotTell, type Draft, fine, notTold, queryFault } from './finding.ts';
import { stale } from './lost-series.ts';
import { type CheckInput, missingSeries } from './missing-series.ts';
import type { Questions } from './questions.ts';
import { recordingRules, ruleState } from './recording-rule.ts';
import { scrapes } from './scrapes.ts';
import { type Selector, selectorText } from './selectors.ts';
import { type Origin, type OriginTarget, targetsOf } from './targets.ts';

/** Series that Prometheus makes itself at every scrape, good or bad: their target may be down. */
const SYNTHETIC = /^(?:up|scrape_[a-z_]+)$/;

/** @param above names of the rules that read it, when it is looked at for what they record */
export async function checkSelector(
  asked: Questions,
  selector: Selector,
  above: readonly string[] = [],
): Promise<readonly Draft[]> {
  const subject = selectorText(selector);
  const place = { link: 'metric', subject } as const;
  const answer = await asked.instant(`max by (job, instance) (timestamp(${subject}))`);
  if (answer.type === 'error') return [queryFault(place, answer)];
  if (answer.samples.length === 0) {
    const check: CheckInput = (input, rule) => checkSelector(asked, input, [...above, rule]);
    return await missingSeries(asked, selector, { above, check });
  }
  const found: Draft[] = [fine(place, `metric ${subject} has series`)];
  if (selector.matchers.length > 0) {
    found.push(fine({ link: 'label', subject }, `the labels of ${subject} select series`));
  }
  const behindMs = Math.min(0, answer.skewMs ?? 0);
  const origins = answer.samples.map(originOf);
  if (selector.metric?.includes(':') === true) {
    const recorded = await recordedSeries(asked, selector, origins, behindMs);
    if (recorded !== undefined) return [...found, ...recorded];
  }
  if (SYNTHETIC.test(selector.metric ?? '')) return found;
  return [...found, ...(await scrapedSeries(asked, subject, origins, behindMs))];
}

function originOf({ labels, value }: Sample): Origin {
  return {
    job: labels['job'] ?? '',
    instance: labels['instance'] ?? '',
    newestMs: value * 1000,
  };
}

/** What a rule records has no target: the rule is its link. Undefined where no rule is known. */
async function recordedSeries(
  asked: Questions,
  selector: Selector,
  origins: readonly Origin[],
  behindMs: number,
): Promise<readonly Draft[] | undefined> {
  const told = await recordingRules(asked, selector);
  if (told.type !== 'told' || told.value.length === 0) return undefined;
  const states = told.value.map((rule) => ({ rule, state: ruleState(asked, rule) }));
  // Several may record parts of it: there are series, so one that is well is enough.
  const well = states.find(({ state }) => state.verdict !== 'broken');
  if (well === undefined) return states.slice(0, 1).map(({ state }) => state);
  const subject = selectorText(selector);
  const intervalMs = Math.max(...told.value.map((rule) => rule.intervalMs)) || undefined;
  return [well.state, sampleAge(asked, { subject, origins, behindMs, intervalMs })];
}

async function scrapedSeries(
  asked: Questions,
  subject: string,
  origins: readonly Origin[],
  behindMs: number,
): Promise<readonly Draft[]> {
  const told = await asked.targets();
  if (told.type !== 'told') {
    const place = { link: 'target', subject } as const;
    const draft = notTold(place, `which target exports ${subject}`, told);
    if (draft.verdict === 'broken') return [draft];
    return [
      draft,
      cannotTell({ link: 'sample', subject }, `how often ${subject} is scraped cannot be told`),
    ];
  }
  const known = targetsOf(subject, origins, told.value);
  if (brokenIn(known.drafts) !== undefined || known.pairs.length === 0) return known.drafts;
  const missed = await scrapes(
    asked,
    known.pairs.map(({ target }) => target),
  );
  if (brokenIn(missed) !== undefined) return [...known.drafts, ...missed];
  return [...known.drafts, ...missed, newest(asked, subject, known.pairs, behindMs)];
}

/** Each series by the interval of its own target; the worst one counts. */
function newest(
  asked: Questions,
  subject: string,
  pairs: readonly OriginTarget[],
  behindMs: number,
): Draft {
  const drafts = pairs.map(({ origin, target }) =>
    sampleAge(asked, {
      subject,
      origins: [origin],
      behindMs,
      intervalMs: target.scrapeIntervalMs,
    }),
  );
  const worst = brokenIn(drafts) ?? drafts.find(({ verdict }) => verdict === 'cannotTell');
  return worst ?? fine({ link: 'sample', subject }, `the samples of ${subject} are fresh`);
}

/** Samples must be younger than two intervals. */
function sampleAge(
  asked: Questions,
  of: {
    readonly subject: string;
    readonly origins: readonly Origin[];
    /** At most 0: how far the server's clock is behind the time that was asked for. */
    readonly behindMs: number;
    readonly intervalMs: number | undefined;
  },
): Draft {
  const { subject, origins, behindMs, intervalMs } = of;
  const place = { link: 'sample', subject } as const;
  if (intervalMs === undefined) {
    return cannotTell(place, `how often ${subject} is scraped cannot be told`);
  }
  const newestMs = Math.max(...origins.map((origin) => origin.newestMs));
  const ageMs = asked.atMs + behindMs - newestMs;
  if (ageMs <= 2 * intervalMs) {
    return fine(place, `the newest sample of ${subject} is ${spanText(Math.max(0, ageMs))} old`);
  }
  const instance = origins.find((one) => one.instance !== '')?.instance;
  return stale(subject, ageMs, intervalMs, instance);
}
