/**
 * What a broken link of the metric chain holds up. Before preflight has passed, and at a checkpoint that asks for
 * it, every broken link counts; in the run those that stand at one look, and a person is called at the second.
 */
import type { Hold, RolloutStatus } from '#api/status.ts';
import type { ChainFinding, ChainReport } from './chain.ts';
import { type ChainFacts, earlierReportOf, reportOf } from './chain-report.ts';
import { clockText } from './time.ts';

export type ChainHold = Omit<Hold, 'since'>;

export const CHAIN_BROKEN = 'ChainBroken';
export const CHAIN_SUSPECTED = 'ChainSuspected';
const CHAIN_UNKNOWN = 'PreflightUnknown';
const CHAIN_NOT_CHECKED = 'ChainNotChecked';

/** Three rounds of the loop: what was found before that says nothing of what is so now. */
const VALID_MS = 15 * 60_000;

/** Two checks that follow upon each other at once, as at a checkpoint, are one look. */
const APART_MIN_MS = 30_000;

/** What a trigger says of a chain that is broken, or seems to be. */
const silences: readonly string[] = [CHAIN_BROKEN, 'BadQuery', 'NoTraffic'];

/** Between those who rely on the same. */
const SEPARATOR = ', ';

/** Of one hold; the message names as many as it has room for. */
const LINKS_MAX = 8;
const LINK_LENGTH_MAX = 200;

/** Who cannot rely on what: one hold for each, with all of its broken links. */
export function holdsOf(broken: readonly ChainFinding[]): ChainHold[] {
  const grouped = Map.groupBy(broken, ({ of }) => of);
  return [...grouped].map(([of, findings]) => {
    const links = findings.map(({ link, subject }) =>
      `${link} ${subject}`.slice(0, LINK_LENGTH_MAX),
    );
    return {
      reason: CHAIN_BROKEN,
      by: byOf(of),
      message: `${byOf(of)}: ${findings.map(sentenceOf).join('; ')}`,
      links: [...new Set(links)].slice(0, LINKS_MAX),
    };
  });
}

/** The broken links of a report, whatever follows from them. */
export function brokenIn(report: ChainReport): readonly ChainFinding[] {
  return report.findings.filter(({ verdict }) => verdict === 'broken');
}

/**
 * The broken links that hold the run where it is now. One missed scrape would hold for an hour: in the run it is
 * no more than advice. That Prometheus is down, or that nobody asks canary, the triggers tell by themselves.
 */
export function linksThatHold(facts: ChainFacts, report: ChainReport): readonly ChainFinding[] {
  const { run, status } = facts;
  if (run.preflight === 'Skip') return [];
  if (status.preflightPassedAt === undefined) return brokenIn(report);
  if (run.preflight !== 'Require') return [];
  const isTold = run.triggers.some(
    ({ noData, measure }) =>
      noData === 'Hold' && (measure.type === 'query' || measure.type === 'ratio'),
  );
  return brokenIn(report).filter(
    ({ link, cause }) =>
      cause !== 'scrapesMissed' && cause !== 'noTrafficYet' && !(link === 'prometheus' && isTold),
  );
}

/** In the run. While nothing is known, after a restart say, what was held for stands. */
export function brokenChain(facts: ChainFacts): readonly ChainHold[] {
  const { snapshot, status } = facts;
  if (snapshot.chain === undefined || status.preflightPassedAt === undefined) return [];
  const report = reportOf(facts);
  if (report === undefined) return heldBefore(facts);
  return holdsOf(linksThatHold(facts, report)).map((hold) =>
    isConfirmed(facts, hold.by) ? hold : { ...hold, reason: CHAIN_SUSPECTED },
  );
}

/** What is held for the chain already. */
export function heldBefore({ status }: ChainFacts): ChainHold[] {
  return (status.holds ?? []).flatMap(({ since: _, ...hold }) =>
    hold.links === undefined ? [] : [hold],
  );
}

/** Found broken before, by this process or by another, or by a trigger that has no reading. */
export function isConfirmed(facts: ChainFacts, by: string): boolean {
  const isHeld = (facts.status.holds ?? []).some(
    (hold) => hold.reason === CHAIN_BROKEN && isShared(hold.by, by),
  );
  const earlier = earlierReportOf(facts);
  if (isHeld || earlier === undefined) return isHeld;
  const apartMs = (reportOf(facts)?.checkedAtMs ?? 0) - earlier.checkedAtMs;
  return apartMs >= APART_MIN_MS && brokenIn(earlier).some(({ of }) => isShared(byOf(of), by));
}

/**
 * Since when the chain has been held for, whoever said so first: a check that suspected it, one that has named fewer or
 * more who rely on it, or a trigger that had no reading.
 */
export function chainHeldSince(hold: ChainHold, status: RolloutStatus): string | undefined {
  if (hold.reason !== CHAIN_BROKEN && hold.reason !== CHAIN_SUSPECTED) return undefined;
  const earlier = (status.holds ?? []).filter(
    ({ reason, by }) =>
      (reason === CHAIN_BROKEN || reason === CHAIN_SUSPECTED) && isShared(by, hold.by),
  );
  return earlier.map(({ since }) => since).toSorted()[0];
}

/** A rise or a promotion needs a report that is not old: a new process has none. */
export function unprovedChain(facts: ChainFacts): readonly ChainHold[] {
  if (facts.snapshot.chain === undefined || facts.run.preflight !== 'Require') return [];
  const report = reportOf(facts);
  if (report === undefined) return [unknownChain(facts)];
  if (facts.now - report.checkedAtMs <= VALID_MS) return [];
  const message = `the metric chain was last checked at ${clockText(report.checkedAtMs)}`;
  return [{ reason: CHAIN_NOT_CHECKED, by: 'chain', message }];
}

export function unknownChain({ snapshot: { chain } }: ChainFacts): ChainHold {
  const failure = chain?.type === 'unknown' ? chain.failure : undefined;
  const by = 'chain';
  if (failure === undefined) {
    return { reason: CHAIN_UNKNOWN, by, message: 'the metric chain is being checked' };
  }
  const message = `the metric chain could not be checked, and is tried again: ${failure}`;
  return { reason: CHAIN_NOT_CHECKED, by, message };
}

/** A check takes a moment, and there is nothing to say of it meanwhile. */
export function isPassing({ reason }: Pick<Hold, 'reason'>): boolean {
  return reason === CHAIN_UNKNOWN;
}

/** It waits for a report. */
export function isUnproved({ reason }: Pick<Hold, 'reason'>): boolean {
  return reason === CHAIN_UNKNOWN || reason === CHAIN_NOT_CHECKED;
}

/** What a trigger says of itself that has no reading, the chain says better: which link it is, and what to do. */
export function withoutDoubles<T extends ChainHold>(holds: readonly T[]): T[] {
  const told = new Set(
    holds.flatMap(({ by, links }) => (links === undefined ? [] : by.split(SEPARATOR))),
  );
  const isSilence = ({ reason }: ChainHold) => silences.includes(reason);
  return holds.filter((hold) => hold.links !== undefined || !told.has(hold.by) || !isSilence(hold));
}

/** A trigger holds by its name alone, whoever speaks for it. What several rely on names them all. */
function byOf(of: string): string {
  const names = of.split(SEPARATOR).map((one) => one.replace(/^trigger /, ''));
  return [...new Set(names)].join(SEPARATOR);
}

/** Somebody relies on both. */
function isShared(a: string, b: string): boolean {
  const others = b.split(SEPARATOR);
  return a.split(SEPARATOR).some((one) => others.includes(one));
}

function sentenceOf({ message, mend }: ChainFinding): string {
  const parts = mend === undefined ? [message] : [message, mend];
  return parts.map((part) => part.replace(/\.$/, '')).join('; ');
}
