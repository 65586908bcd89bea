/** One finding of each kind, for tests of what follows from it. */
import type { ChainCause, ChainFinding, ChainLink } from '#core/chain.ts';

export function finding(
  link: ChainLink,
  of: string,
  overrides: Partial<ChainFinding> = {},
): ChainFinding {
  return {
    link,
    of,
    subject: `the ${link} of ${of}`,
    verdict: 'broken',
    message: `the ${link} is broken`,
    mend: 'Mend it.',
    ...overrides,
  };
}

export function fine(link: ChainLink, of: string): ChainFinding {
  const { mend: _, ...rest } = finding(link, of, { verdict: 'fine', message: 'it is well' });
  return rest;
}

/** What breaks each link, and who relies on it. */
export const brokenLinks: readonly (readonly [ChainLink, of: string, ChainCause])[] = [
  ['prometheus', 'prometheus', 'unreachable'],
  ['metric', 'trigger errors', 'neverExisted'],
  ['label', 'trigger errors', 'labelMissing'],
  ['target', 'trigger errors', 'targetDown'],
  ['scrape', 'trigger errors', 'scrapesMissed'],
  ['sample', 'trigger errors', 'stale'],
  ['value', 'criterion p95', 'notFinite'],
  ['rule', 'alert rule CheckoutErrors', 'ruleMissing'],
  ['alertmanager', 'alertmanager', 'unreachable'],
  ['receiver', 'alert rule CheckoutErrors', 'noReceiver'],
  ['grafana', 'grafana', 'unreachable'],
  ['dashboard', 'dashboard checkout', 'dashboardMissing'],
  ['panel', 'dashboard checkout', 'panelEmpty'],
];
