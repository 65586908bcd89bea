/** Whether targets were scraped: more than 99.9 % of the scrapes of the last hour must have been good. */
import type { ScrapeTarget } from '#ports/monitoring-systems.ts';
import { broken, cannotTell, counted, type Draft, fine, queryFault } from './finding.ts';
import type { Questions } from './questions.ts';
import { quoted } from './selectors.ts';
import { targetText } from './targets.ts';

const GOOD_MIN = 0.999;

/**
 * Several servers may scrape the same: the one that misses least counts.
 *
 * @param targets all that count; one finding for each of their jobs, and one for each that was missed
 */
export async function scrapes(
  asked: Questions,
  targets: readonly ScrapeTarget[],
): Promise<readonly Draft[]> {
  const jobs = [...new Set(targets.map(({ job }) => job))];
  const found = await Promise.all(
    jobs.map((job) =>
      scrapesOfJob(
        asked,
        job,
        targets.filter((target) => target.job === job),
      ),
    ),
  );
  return found.flat();
}

async function scrapesOfJob(
  asked: Questions,
  job: string,
  targets: readonly ScrapeTarget[],
): Promise<readonly Draft[]> {
  const place = { link: 'scrape', subject: `job ${job}` } as const;
  const answer = await asked.instant(
    `max by (instance) (avg_over_time(up{job=${quoted(job)}}[1h]))`,
  );
  if (answer.type === 'error') return [queryFault(place, answer)];
  const shares = new Map(answer.samples.map(({ labels, value }) => [labels['instance'], value]));
  const known = targets.filter(({ instance }) => shares.has(instance));
  if (known.length === 0) {
    return [
      cannotTell(place, `whether job ${job} was scraped cannot be told: it has no series up`),
    ];
  }
  const low = known.filter(({ instance }) => (shares.get(instance) ?? 0) <= GOOD_MIN);
  const missed = await Promise.all(low.map((target) => missedBy(asked, target)));
  const drafts = missed.flatMap((draft) => draft ?? []);
  return drafts.length > 0
    ? drafts
    : [fine(place, `job ${job} was scraped: none of the last hour was missed`)];
}

/**
 * Misses before its first good scrape are a target's start: a pod is discovered before it listens. Undefined: there are no
 * others, or hardly any.
 */
async function missedBy(asked: Questions, target: ScrapeTarget): Promise<Draft | undefined> {
  const place = { link: 'scrape', subject: targetText(target) } as const;
  const up = `up{job=${quoted(target.job)},instance=${quoted(target.instance)}}`;
  const first = await asked.instant(`min(min_over_time(timestamp(${up} == 1)[1h:5s]))`);
  if (first.type === 'error') return queryFault(place, first);
  const [since] = first.samples;
  const backS =
    since === undefined ? 3600 : Math.max(1, Math.ceil(asked.atMs / 1000 - since.value));
  const range = `${up}[${backS}s]`;
  const [total, good] = await Promise.all([
    asked.instant(`max(count_over_time(${range}))`),
    asked.instant(`max(sum_over_time(${range}))`),
  ]);
  if (total.type === 'error') return queryFault(place, total);
  if (good.type === 'error') return queryFault(place, good);
  const count = total.samples[0]?.value ?? 0;
  const missed = count - (good.samples[0]?.value ?? 0);
  if (missed <= 0 || 1 - missed / count > GOOD_MIN) return undefined;
  return broken(place, {
    cause: 'scrapesMissed',
    message: `${counted(missed, 'scrape')} of ${count} of target ${targetText(target)} failed in the last hour; more than 99.9% must be good`,
    mend: 'See why the target fails at times: too slow for scrape_timeout, restarts, or no room on its node.',
  });
}
