/**
 * The metric chain: metric defined → exported → scraped → rule → dashboard → alert → person. What a check of it has
 * found, as the engine sees it. The check itself asks other systems and is made outside the engine (src/preflight).
 */

/** In the order of the chain. */
export const chainLinks = [
  'prometheus',
  'metric',
  'label',
  'target',
  'scrape',
  'sample',
  'value',
  'suite',
  'rule',
  'alertmanager',
  'receiver',
  'grafana',
  'dashboard',
  'panel',
] as const;

export type ChainLink = (typeof chainLinks)[number];

/** Why a link is broken, as far as it can be told. */
export type ChainCause =
  | 'neverExisted'
  | 'disappeared'
  | 'labelMissing'
  | 'valueMissing'
  | 'noTrafficYet'
  | 'targetDown'
  | 'noContentType'
  | 'scrapesMissed'
  | 'stale'
  | 'notFinite'
  | 'severalSeries'
  | 'suiteFailing'
  | 'ruleMissing'
  | 'ruleFailing'
  | 'ruleNotEvaluated'
  | 'noReceiver'
  | 'nobodyTold'
  | 'dashboardMissing'
  | 'panelEmpty'
  | 'queryFails'
  | 'unreachable';

/**
 * `advice`: worth telling, holds nothing. `cannotTell`: the backend has no API that would say; never taken for good.
 * `noTrafficExpected`: nothing is there because no traffic is meant to be.
 */
export type ChainVerdict = 'fine' | 'broken' | 'advice' | 'cannotTell' | 'noTrafficExpected';

export interface ChainFinding {
  readonly link: ChainLink;
  /** Who relies on it, such as `trigger error-rate`, `criterion p95`, `alert rule CheckoutErrors`, `dashboard checkout`. */
  readonly of: string;
  /** What was looked at: a selector, a target, a rule, a panel. */
  readonly subject: string;
  readonly verdict: ChainVerdict;
  readonly cause?: ChainCause;
  /** A sentence that names the link and what is wrong with it. */
  readonly message: string;
  /** What to do, as a sentence; only where something is wrong. */
  readonly mend?: string;
}

export type SystemName = 'prometheus' | 'alertmanager' | 'grafana';

export interface SystemHealth {
  readonly state: 'Up' | 'Down' | 'NotConfigured';
  /** Why it is down. */
  readonly message?: string;
}

export interface ChainReport {
  /** When the check began: what was true then is what it says. */
  readonly checkedAtMs: number;
  /** The generation of the spec it was made for. */
  readonly generation: number;
  readonly findings: readonly ChainFinding[];
  readonly health: Readonly<Record<SystemName, SystemHealth>>;
}

/** What the operator knows of the chain; it is kept in no status, so a new process checks anew. */
export type ChainState = (
  | {
      readonly type: 'unknown';
      /** Since when, ms: this process was first asked then, or a check has failed. */
      readonly sinceMs: number;
      /** Why the newest check has brought nothing; undefined before the first. */
      readonly failure?: string;
    }
  | {
      readonly type: 'known';
      readonly report: ChainReport;
      /** The one before, of this process: what is broken in both is no accident of one moment. */
      readonly previous?: ChainReport;
    }
) & {
  /** A check is under way, or waits for its turn, since then, ms. */
  readonly checkingSinceMs?: number;
};
