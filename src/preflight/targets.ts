/** The targets behind series, and what is wrong with one that is down. */
import type { ScrapeTarget } from '#ports/monitoring-systems.ts';
import {
  advice,
  broken,
  cannotTell,
  counted,
  type Draft,
  type Fault,
  fine,
  listed,
  type Place,
} from './finding.ts';

/** Where series come from, by their labels. */
export interface Source {
  readonly job: string;
  readonly instance: string;
}

export interface Origin extends Source {
  /** The newest sample's own time. */
  readonly newestMs: number;
}

export interface OriginTarget {
  readonly origin: Origin;
  readonly target: ScrapeTarget;
}

/** More of them would only repeat one another. */
const NAMED_MAX = 3;

/** The targets that export the series, and what can be said of them. */
export function targetsOf(
  subject: string,
  origins: readonly Origin[],
  targets: readonly ScrapeTarget[],
): { readonly drafts: readonly Draft[]; readonly pairs: readonly OriginTarget[] } {
  const place = { link: 'target', subject } as const;
  // A mesh has thousands of both.
  const known = Map.groupBy(targets, keyOf);
  const pairs = origins.flatMap((origin) =>
    (known.get(keyOf(origin)) ?? []).map((target) => ({ origin, target })),
  );
  if (pairs.length === 0) {
    const message = `which target exports ${subject} cannot be told: no target has the job and the instance of its series, as with what is pushed, federated or aggregated`;
    return { drafts: [cannotTell(place, message)], pairs };
  }
  const exporting = pairs.map(({ target }) => target);
  const down = exporting.filter(({ health }) => health === 'down');
  if (down.length > 0) return { drafts: downTargets(down), pairs };
  const jobs = new Set(exporting.map(({ job }) => job));
  const beside = targets.filter(({ job, health }) => jobs.has(job) && health === 'down');
  const drafts = [
    fine(
      place,
      `${counted(exporting.length, 'target')} of ${listed([...jobs])} that ${exporting.length === 1 ? 'exports' : 'export'} ${subject} ${exporting.length === 1 ? 'is' : 'are'} up`,
    ),
    ...beside.slice(0, NAMED_MAX).map((one) => advice(placeOf(one), downFault(one))),
  ];
  return { drafts, pairs };
}

function keyOf({ job, instance }: Source): string {
  return JSON.stringify([job, instance]);
}

export function downTargets(down: readonly ScrapeTarget[]): readonly Draft[] {
  return down.slice(0, NAMED_MAX).map((target) => broken(placeOf(target), downFault(target)));
}

export function targetText({ job, instance }: Pick<ScrapeTarget, 'job' | 'instance'>): string {
  return `${instance} of job ${job}`;
}

function placeOf(target: ScrapeTarget): Place {
  return { link: 'target', subject: targetText(target) };
}

/** @param lost what is not there because of it */
export function downFault(target: ScrapeTarget, lost?: string): Fault {
  const { lastError, scrapeUrl } = target;
  const says = lastError === '' ? 'Prometheus does not say why' : lastError;
  const what = lost === undefined ? '' : `, which used to export ${lost}, so that there is none`;
  const message = `target ${targetText(target)} (${scrapeUrl}) is down${what}: ${says}`;
  if (/content-type/i.test(lastError))
    return { cause: 'noContentType', message, mend: CONTENT_TYPE };
  return { cause: 'targetDown', message, mend: mendOf(lastError) };
}

const CONTENT_TYPE =
  'Prometheus 3 refuses a scrape without a valid Content-Type: have the exporter send `Content-Type: text/plain; version=0.0.4`, or set `fallback_scrape_protocol: PrometheusText0.0.4` for the job.';

const mends: readonly (readonly [RegExp, string])[] = [
  [
    /connection refused/i,
    'Nothing listens there: see that the process runs, and that port and path are right.',
  ],
  [/no such host/i, 'The name does not resolve: correct the address of the target.'],
  [
    /deadline exceeded|timeout/i,
    'It does not answer within scrape_timeout: make the exporter faster, or raise the timeout.',
  ],
  [/HTTP status 40[13]/i, 'The exporter wants credentials: give the job those that it accepts.'],
  [/HTTP status 404/i, 'There is no such path: correct metrics_path of the job.'],
  [/x509|tls/i, 'TLS fails: give the job the CA and the server name that fit the certificate.'],
  [
    /sample limit|sample_limit|label/i,
    'A limit of the job is exceeded: export less, or raise the limit.',
  ],
  [
    /expected|invalid|parse/i,
    'Prometheus cannot read what is exported: check it with `promtool check metrics`.',
  ],
];

function mendOf(lastError: string): string {
  const found = mends.find(([pattern]) => pattern.test(lastError));
  return found?.[1] ?? 'Mend the target: see the target page of Prometheus.';
}
