/** Jobs that must be scraped whatever the queries say: each has targets, all of them up and scraped. */
import type { ScrapeTarget } from '#ports/monitoring-systems.ts';
import { nearest } from '#runtime/nearest.ts';
import { advice, broken, brokenIn, counted, type Draft, fine, notTold, unless } from './finding.ts';
import { HISTORY_MS, type Questions } from './questions.ts';
import { scrapes } from './scrapes.ts';
import { quoted } from './selectors.ts';
import { downTargets, targetText } from './targets.ts';

export async function checkJob(asked: Questions, job: string): Promise<readonly Draft[]> {
  const place = { link: 'target', subject: `job ${job}` } as const;
  const told = await asked.targets();
  if (told.type !== 'told') return [notTold(place, `the targets of job ${job}`, told)];
  const targets = told.value.filter((one) => one.job === job);
  if (targets.length === 0) return [await withoutTargets(asked, job, told.value)];
  const down = targets.filter(({ health }) => health === 'down');
  if (down.length > 0) return downTargets(down);
  const up = targets.filter(({ health }) => health === 'up');
  const unscraped = targets.filter(({ health }) => health === 'unknown').map(notScrapedYet);
  if (up.length === 0) return unscraped.slice(0, 1).map((one) => ({ ...one, verdict: 'broken' }));
  const drafts = [fine(place, `${counted(up.length, 'target')} of job ${job} up`), ...unscraped];
  if (brokenIn(drafts) !== undefined) return drafts;
  return [...drafts, ...(await scrapes(asked, up))];
}

function notScrapedYet(target: ScrapeTarget): Draft {
  return advice(
    { link: 'target', subject: targetText(target) },
    {
      cause: 'targetDown',
      message: `target ${targetText(target)} has not been scraped yet`,
      mend: 'Wait for its first scrape.',
    },
  );
}

async function withoutTargets(
  asked: Questions,
  job: string,
  targets: readonly ScrapeTarget[],
): Promise<Draft> {
  const before = await asked.labelValues('job', [`up{job=${quoted(job)}}`], HISTORY_MS);
  const wasThere = before.type === 'told' && before.value.length > 0;
  const guess = nearest(job, [...new Set(targets.map((one) => one.job))]);
  return broken(
    { link: 'target', subject: `job ${job}` },
    {
      cause: wasThere ? 'disappeared' : 'neverExisted',
      message: wasThere
        ? `job ${job} has no active target any more`
        : `there is no job ${job}: Prometheus has no active target of it`,
      mend: unless(
        guess,
        'see that a scrape job, ServiceMonitor or PodMonitor finds the pods: its selector, its port, and that Prometheus selects it.',
      ),
    },
  );
}
