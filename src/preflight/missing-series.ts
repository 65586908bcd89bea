/**
 * A selector that selects nothing: which link is broken. It had series lately (its target is down, or it was dropped), its
 * metric is gone or was never there, or a label does not fit.
 */
import { toIso } from '#core/time.ts';
import type { LoadedRule, ScrapeTarget } from '#ports/monitoring-systems.ts';
import { likely, nearest } from '#runtime/nearest.ts';
import { broken, brokenIn, type Draft, listed, unless } from './finding.ts';
import { labelFault } from './label-fault.ts';
import { lostSeries, lostWith } from './lost-series.ts';
import { HISTORY_MS, type Questions } from './questions.ts';
import { recordingRules, ruleState } from './recording-rule.ts';
import { nameOnly, promqlProblem, type Selector, selectorsOf, selectorText } from './selectors.ts';
import { downTargets } from './targets.ts';

/** Checks a selector that the rule of this name reads. */
export type CheckInput = (selector: Selector, rule: string) => Promise<readonly Draft[]>;

interface Inputs {
  /** Names of the rules through which the way has led here. */
  readonly above: readonly string[];
  readonly check: CheckInput;
}

const DAY_MS = 24 * 3_600_000;

export async function missingSeries(
  asked: Questions,
  selector: Selector,
  inputs: Inputs,
): Promise<readonly Draft[]> {
  const recorded = await notRecorded(asked, selector, inputs);
  if (recorded !== undefined) return recorded;
  const lost = await lostSeries(asked, selector);
  if (lost !== undefined) return [lost];
  const name = nameOnly(selector);
  if (name === undefined) return [await labelFault(asked, selector)];
  const now = await asked.instant(`group(${selectorText(name)})`);
  if (now.type === 'samples' && now.samples.length > 0) {
    const metric = { link: 'metric', subject: selectorText(name) } as const;
    const message = `metric ${selectorText(name)} has series`;
    return [{ ...metric, verdict: 'fine', message }, await labelFault(asked, selector)];
  }
  return [await missingMetric(asked, name, selector)];
}

/** A metric that a rule records, or by its name ought to. Undefined: not by a rule, or not because of it. */
async function notRecorded(
  asked: Questions,
  selector: Selector,
  inputs: Inputs,
): Promise<readonly Draft[] | undefined> {
  const { metric } = selector;
  const rules = await recordingRules(asked, selector);
  if (rules.type !== 'told' || metric === undefined) return undefined;
  const states = rules.value.map((rule) => ruleState(asked, rule));
  const bad = brokenIn(states);
  if (bad !== undefined) return [bad];
  const [rule] = rules.value;
  if (rule !== undefined) return await notReadBy(rule, states, inputs);
  if (!metric.includes(':')) return undefined;
  const now = await asked.instant(`group(${metric})`);
  if (now.type === 'samples' && now.samples.length > 0) return undefined;
  const told = await asked.rules();
  const names = told.type === 'told' ? told.value : [];
  const guess = nearest(
    metric,
    names.filter(({ type }) => type === 'recording').map(({ name }) => name),
  );
  return [
    broken(
      { link: 'rule', subject: `recording rule ${metric}` },
      {
        cause: 'ruleMissing',
        message: `no rule that Prometheus has loaded records ${metric}`,
        mend: unless(
          guess,
          'have Prometheus load the rule: its file must be in rule_files, a PrometheusRule must match ruleSelector and ruleNamespaceSelector.',
        ),
      },
    ),
  ];
}

/** The rule is well: one of the metrics that it reads may be the broken link. */
async function notReadBy(
  { name, query }: LoadedRule,
  states: readonly Draft[],
  { above, check }: Inputs,
): Promise<readonly Draft[] | undefined> {
  // A server may know more PromQL than is known here.
  if (above.includes(name) || promqlProblem(query) !== undefined) return undefined;
  const read = selectorsOf(query, 'must').filter(
    ({ need, metric }) => need === 'must' && metric !== name,
  );
  const found = await Promise.all(read.map((input) => check(input, name)));
  const cause = brokenIn(found.flat());
  if (cause === undefined) return undefined;
  const message = `${cause.message}; rule ${name} reads it and records nothing`;
  return [...states.slice(0, 1), { ...cause, message }];
}

/** No series of that name now, nor within the last hour. */
async function missingMetric(asked: Questions, name: Selector, selector: Selector): Promise<Draft> {
  const subject = selectorText(name);
  const known = await asked.labelValues('__name__', [subject], HISTORY_MS);
  if (known.type === 'told' && known.value.length > 0) return await gone(asked, subject);
  return await neverSeen(asked, selector, subject);
}

async function gone(asked: Questions, subject: string): Promise<Draft> {
  const jobs = await asked.labelValues('job', [subject], HISTORY_MS);
  const told = await asked.targets();
  const down =
    told.type !== 'told' || jobs.type !== 'told'
      ? undefined
      : told.value.find(({ job, health }) => health === 'down' && jobs.value.includes(job));
  if (down !== undefined) return lostWith(down, subject);
  const answer = await asked.instant(`max(max_over_time(timestamp(${subject})[14d:1h]))`);
  const [newest] = answer.type === 'samples' ? answer.samples : [];
  const seen =
    newest === undefined
      ? `within the last ${HISTORY_MS / DAY_MS} days`
      : `about ${toIso(newest.value * 1000)}`;
  const by =
    jobs.type === 'told' && jobs.value.length > 0 ? `, exported by ${listed(jobs.value)}` : '';
  return broken(
    { link: 'metric', subject },
    {
      cause: 'disappeared',
      message: `metric ${subject} has disappeared: last seen ${seen}${by}`,
      mend: 'Find what changed then: a release that dropped or renamed it, a relabelling rule, or a workload that was removed.',
    },
  );
}

/** More of them would be no help. */
const GUESSES_MAX = 3;

async function neverSeen(asked: Questions, selector: Selector, subject: string): Promise<Draft> {
  const names = await asked.labelValues('__name__', [], 3_600_000);
  const all = names.type === 'told' ? names.value : [];
  const guesses = likely(subject, all).slice(0, GUESSES_MAX);
  const guess = guesses.length === 0 ? undefined : guesses.join(' or ');
  const down = guess === undefined ? await neverScraped(asked, selector) : undefined;
  if (down !== undefined) {
    const [draft] = downTargets([down]);
    if (draft !== undefined) {
      return {
        ...draft,
        message: `${draft.message}; metric ${subject} has never been seen, and may be one of its`,
      };
    }
  }
  return broken(
    { link: 'metric', subject },
    {
      cause: 'neverExisted',
      message: `metric ${subject} has never existed here: Prometheus knows no series of that name in the last ${HISTORY_MS / DAY_MS} days`,
      mend: unless(guess, 'have the service export it, and Prometheus scrape the service.'),
    },
  );
}

/** A target that could be the metric's: named by the selector, or down ever since Prometheus knows it. */
async function neverScraped(
  asked: Questions,
  { matchers }: Selector,
): Promise<ScrapeTarget | undefined> {
  const told = await asked.targets();
  if (told.type !== 'told') return undefined;
  const wanted = matchers.find(({ label, op }) => label === 'job' && op === '=')?.value;
  const down = told.value.filter(
    ({ health, job }) => health === 'down' && (wanted === undefined || job === wanted),
  );
  if (wanted !== undefined || down.length === 0) return down[0];
  const up = await asked.instant('max by (job, instance) (max_over_time(up[1h])) == 0');
  if (up.type === 'error') return undefined;
  return down.find(({ job, instance }) =>
    up.samples.some(({ labels }) => labels['job'] === job && labels['instance'] === instance),
  );
}
