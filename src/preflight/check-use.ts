/** One use of a query, with the arm it is asked of. Where that arm has no traffic yet the same is proved on the other. */
import type { ChainCause } from '#core/chain.ts';
import { type Arm, fillerFor } from '#core/fill.ts';
import { fillMeasure } from '#core/reading.ts';
import type { RunSpec } from '#core/run-spec.ts';
import { checkQuery } from './check-query.ts';
import { brokenIn, type Draft } from './finding.ts';
import type { Questions } from './questions.ts';
import { boundTo, type Use } from './uses.ts';

/** `$(window)` of a run that has not begun: as long as scrapes are looked back upon. */
const WINDOW_MS = 3_600_000;

/** What no traffic explains. Anything else is broken, traffic or not. */
const ofSilence: readonly ChainCause[] = [
  'neverExisted',
  'disappeared',
  'labelMissing',
  'valueMissing',
  'noTrafficYet',
  'notFinite',
  'queryFails',
];

export async function checkUse(
  asked: Questions,
  use: Use,
  { run, weight }: { readonly run: RunSpec; readonly weight: number },
): Promise<readonly Draft[]> {
  const { measure, arm } = use;
  const moment = { weight, windowMs: WINDOW_MS };
  const own = await asQuery(asked, use, fillerFor(run, arm, moment));
  const fault = brokenIn(own);
  const isIdle = (arm === 'canary' ? weight === 0 : weight === 100) && boundTo(measure, arm);
  if (fault?.cause === undefined || !isIdle || !ofSilence.includes(fault.cause)) return own;
  const other: Arm = arm === 'canary' ? 'stable' : 'canary';
  const fillOther = fillerFor(run, other, moment);
  const name = new RegExp(`(?<![$])[$][(]${arm}[.]service[)]`, 'g');
  const proof = await asQuery(asked, use, (text) =>
    fillOther(text.replaceAll(name, () => `$(${other}.service)`)),
  );
  if (brokenIn(proof) !== undefined) return proof;
  const { link, subject } = fault;
  const expected: Draft = {
    link,
    subject,
    verdict: 'noTrafficExpected',
    cause: 'noTrafficYet',
    message: `${arm} gets no traffic at weight ${weight}, so nothing is expected of ${subject}; the same is proved with the values of ${other}`,
  };
  return [...proof, expected];
}

async function asQuery(
  asked: Questions,
  { measure }: Use,
  fill: (text: string) => string,
): Promise<readonly Draft[]> {
  const filled = fillMeasure(measure, fill);
  return filled.type === 'query' || filled.type === 'ratio' ? await checkQuery(asked, filled) : [];
}
