/** A selector that had series within the last hour and has none now: their target is down, they were dropped, or lag behind. */
import { clockText, spanText } from '#core/time.ts';
import type { ScrapeTarget } from '#ports/monitoring-systems.ts';
import { broken, type Draft } from './finding.ts';
import type { Questions } from './questions.ts';
import { nameOnly, quoted, type Selector, selectorText } from './selectors.ts';
import { downFault, type Source, targetText } from './targets.ts';

/** Undefined: it had none. */
export async function lostSeries(asked: Questions, selector: Selector): Promise<Draft | undefined> {
  const text = selectorText(selector);
  const before = await asked.instant(`group by (job, instance) (present_over_time(${text}[1h]))`);
  if (before.type === 'error' || before.samples.length === 0) return undefined;
  const sources = before.samples.map(({ labels }) => ({
    job: labels['job'] ?? '',
    instance: labels['instance'] ?? '',
  }));
  const told = await asked.targets();
  const targets = told.type === 'told' ? told.value : [];
  const active = targets.filter((target) => sources.some((one) => isOf(target, one)));
  const down = await downAmong(asked, active);
  if (down !== undefined) return lostWith(down, text);
  const lastMs = await lastSeenMs(asked, text);
  const intervalMs = active[0]?.scrapeIntervalMs;
  const last =
    lastMs === undefined || intervalMs === undefined
      ? { lastMs, isStale: false }
      : await howItEnded(asked, { text, lastMs, intervalMs });
  if (last.isStale && last.lastMs !== undefined) {
    return stale(text, asked.atMs - last.lastMs, intervalMs ?? 0);
  }
  const [source] = sources;
  const isGone = told.type === 'told' && active.length === 0 && source?.job !== '';
  const where =
    active.length > 0
      ? ', while its target is up'
      : isGone
        ? `, and the target of job ${source?.job} that exported it is there no more`
        : '';
  return await disappeared(asked, selector, { lastMs: last.lastMs, where });
}

export function lostWith(target: ScrapeTarget, text: string): Draft {
  return broken({ link: 'target', subject: targetText(target) }, downFault(target, text));
}

function isOf(target: ScrapeTarget, { job, instance }: Source): boolean {
  return target.job === job && target.instance === instance;
}

/** The list may be half a minute old; the series up is not. */
async function downAmong(
  asked: Questions,
  targets: readonly ScrapeTarget[],
): Promise<ScrapeTarget | undefined> {
  const listed = targets.find(({ health }) => health === 'down');
  if (listed !== undefined) return listed;
  for (const job of new Set(targets.map((target) => target.job))) {
    const answer = await asked.instant(`up{job=${quoted(job)}} == 0`);
    const samples = answer.type === 'samples' ? answer.samples : [];
    const instances = samples.map(({ labels }) => labels['instance']);
    const found = targets.find((one) => one.job === job && instances.includes(one.instance));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Steps of a quarter of a minute miss a series that lived for less. */
async function lastSeenMs(asked: Questions, text: string): Promise<number | undefined> {
  for (const window of ['1h:15s', '5m:1s']) {
    const answer = await asked.instant(`max(max_over_time(timestamp(${text})[${window}]))`);
    const [newest] = answer.type === 'samples' ? answer.samples : [];
    if (newest !== undefined) return newest.value * 1000;
  }
  return undefined;
}

/** Later samples than the one that was found by steps lie at most so many looks away. */
const LOOKS_MAX = 16;
/** An instant query still shows a sample of so long ago, unless the end of its series is marked. */
const SHOWN_MS = 290_000;

/**
 * Prometheus marks the end of a series that a target no longer exports. One that has no such mark and no new samples has
 * timestamps of its own, which are too old.
 */
async function howItEnded(
  asked: Questions,
  of: { readonly text: string; readonly lastMs: number; readonly intervalMs: number },
): Promise<{ readonly lastMs: number; readonly isStale: boolean }> {
  let { lastMs } = of;
  const laterMs = 1.5 * of.intervalMs + 1_000;
  if (laterMs > SHOWN_MS) return { lastMs, isStale: false };
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const thenMs = Math.ceil(lastMs + laterMs);
    if (thenMs >= asked.atMs) break;
    const answer = await asked.instant(`max(timestamp(${of.text}))`, thenMs);
    const [shown] = answer.type === 'samples' ? answer.samples : [];
    if (shown === undefined) break;
    const shownMs = shown.value * 1000;
    if (shownMs <= lastMs) return { lastMs, isStale: true };
    lastMs = shownMs;
  }
  return { lastMs, isStale: false };
}

export function stale(text: string, ageMs: number, intervalMs: number, instance = ''): Draft {
  const from = instance === '' ? '' : ` from ${instance}`;
  return broken(
    { link: 'sample', subject: text },
    {
      cause: 'stale',
      message: `the newest sample of ${text}${from} is ${spanText(ageMs)} old, more than two intervals of ${spanText(intervalMs)}`,
      mend: 'The exporter gives timestamps of its own that lag behind: have it leave them out, or scrape with `honor_timestamps: false`.',
    },
  );
}

async function disappeared(
  asked: Questions,
  selector: Selector,
  { lastMs, where }: { readonly lastMs: number | undefined; readonly where: string },
): Promise<Draft> {
  const subject = selectorText(selector);
  const name = nameOnly(selector);
  const now = name && (await asked.instant(`group(${selectorText(name)})`));
  const isNameThere = now?.type === 'samples' && now.samples.length > 0;
  const seen = lastMs === undefined ? 'within the last hour' : `at ${clockText(lastMs)}`;
  return broken(
    { link: isNameThere && selector.matchers.length > 0 ? 'label' : 'metric', subject },
    {
      cause: 'disappeared',
      message: `${subject} has disappeared: last seen ${seen}${where}`,
      mend: 'Find what changed then: a release that dropped or renamed it, a relabelling rule, or a workload that was scaled down.',
    },
  );
}
