/**
 * The metric chain of a run, asked of the systems themselves: metric defined → exported → scraped → rule → dashboard → alert →
 * person. Every link that is broken is named, with its likely cause and what to do; a broken one silences those after it.
 */
import type { ChainFinding, ChainReport, SystemHealth } from '#core/chain.ts';
import type { RunSpec } from '#core/run-spec.ts';
import type { SuiteState } from '#core/suite-state.ts';
import type { MonitoringSystems } from '#ports/monitoring-systems.ts';
import { alertRouters } from './alert-routers.ts';
import { checkAlertRule } from './alert-rules.ts';
import { checkUse } from './check-use.ts';
import { checkDashboard, grafanaHealth } from './dashboards.ts';
import { broken, type Draft, fine, isSame } from './finding.ts';
import { checkJob } from './jobs.ts';
import { ownRules } from './own-rules.ts';
import { createQuestions, type Questions } from './questions.ts';
import { checkSuite } from './suites.ts';
import { usesOf } from './uses.ts';

export interface ChainCheck {
  readonly run: RunSpec;
  /** The generation of the spec that `run` comes from. */
  readonly generation: number;
  /** Canary share in percent, as read back. */
  readonly weight: number;
  readonly atMs: number;
  /** The operator makes a PrometheusRule for the rollout: whether it is loaded is worth knowing. */
  readonly makesRules?: boolean;
  /** Runs of health suites by name; undefined where nobody knows of them. */
  readonly suites?: ReadonlyMap<string, SuiteState>;
}

/** Rejects only where the signal is aborted. */
export async function checkChain(
  systems: MonitoringSystems,
  check: ChainCheck,
  signal: AbortSignal,
): Promise<ChainReport> {
  const { run, generation, weight, atMs, suites } = check;
  const asked = createQuestions(systems, { nowMs: atMs, offsetMs: run.offsetMs }, signal);
  const prometheus = reliesOnPrometheus(run) ? await prometheusHealth(asked, systems) : notAsked;
  const isUp = prometheus.health.state === 'Up';
  const routers = alertRouters(asked, systems, isUp);
  const server = grafanaHealth(asked, systems);
  const [findings, shown, { health: alertmanager }, { health: grafana }] = await Promise.all([
    isUp ? prometheusFindings(asked, check, routers) : [],
    dashboardFindings(asked, systems, { run, weight, server }),
    routers,
    server,
  ]);
  const tested = run.suites.flatMap((one) => by(`suite ${one.name}`, [checkSuite(one, suites)]));
  return {
    checkedAtMs: atMs,
    generation,
    findings: merged([...by('every query', prometheus.drafts), ...findings, ...tested, ...shown]),
    health: { prometheus: prometheus.health, alertmanager, grafana },
  };
}

/** A run that asks no Prometheus anything waits for none. */
function reliesOnPrometheus(run: RunSpec): boolean {
  const { alertRules, targets } = run.chain;
  return (
    alertRules.length > 0 ||
    targets.length > 0 ||
    run.success.require.includes('NoCriticalAlerts') ||
    usesOf(run).length > 0
  );
}

interface PrometheusHealth {
  readonly drafts: readonly Draft[];
  readonly health: SystemHealth;
}

const notAsked: PrometheusHealth = { drafts: [], health: { state: 'NotConfigured' } };

async function prometheusHealth(
  asked: Questions,
  { metrics }: MonitoringSystems,
): Promise<PrometheusHealth> {
  const place = { link: 'prometheus', subject: metrics.url } as const;
  const answer = await asked.instant('vector(1)');
  if (answer.type === 'samples') {
    return { drafts: [fine(place, 'Prometheus answers')], health: { state: 'Up' } };
  }
  const { message } = answer;
  const draft = broken(place, {
    cause: 'unreachable',
    message: `Prometheus (${metrics.url}) does not answer: ${message}`,
    mend: 'See that it runs, and that address and credentials are right; until it answers nothing else can be told.',
  });
  return { drafts: [draft], health: { state: 'Down', message } };
}

async function prometheusFindings(
  asked: Questions,
  { run, weight, makesRules = false }: ChainCheck,
  routers: ReturnType<typeof alertRouters>,
): Promise<readonly ChainFinding[]> {
  const { alertRules, targets } = run.chain;
  const found = await Promise.all([
    ...usesOf(run).map(async (use) => {
      const drafts = await checkUse(asked, use, { run, weight });
      return by(use.of, use.isAdvice ? drafts.map(asAdvice) : drafts);
    }),
    ...targets.map(async (job) => by(`target ${job}`, await checkJob(asked, job))),
    ...alertRules.map(async (name) =>
      by(`alert rule ${name}`, await checkAlertRule(asked, name, routers)),
    ),
    ...(makesRules
      ? [ownRules(asked, run).then((drafts) => by('alerts of the triggers', drafts))]
      : []),
  ]);
  return found.flat();
}

async function dashboardFindings(
  asked: Questions,
  systems: MonitoringSystems,
  of: {
    readonly run: RunSpec;
    readonly weight: number;
    readonly server: ReturnType<typeof grafanaHealth>;
  },
): Promise<readonly ChainFinding[]> {
  const { run, weight } = of;
  const server = systems.dashboards;
  const { obstacle } = await of.server;
  const idleService =
    weight === 0 ? run.canary?.service : weight === 100 ? run.stable?.service : undefined;
  const found = await Promise.all(
    run.chain.dashboards.map(async (uid) => {
      const of = `dashboard ${uid}`;
      if (obstacle !== undefined) return by(of, [obstacle]);
      return server === undefined
        ? []
        : by(of, await checkDashboard(asked, server, { uid, idleService }));
    }),
  );
  return found.flat();
}

function by(of: string, drafts: readonly Draft[]): readonly ChainFinding[] {
  return drafts.map((draft) => ({ of, ...draft }));
}

function asAdvice(draft: Draft): Draft {
  return draft.verdict === 'broken' ? { ...draft, verdict: 'advice' } : draft;
}

/** What is found for several is said once, of all of them. */
function merged(findings: readonly ChainFinding[]): readonly ChainFinding[] {
  const found: ChainFinding[] = [];
  for (const finding of findings) {
    const index = found.findIndex((one) => isSame(one, finding));
    const before = found[index];
    if (before === undefined) found.push(finding);
    else if (!before.of.split(', ').includes(finding.of)) {
      found[index] = { ...before, of: `${before.of}, ${finding.of}` };
    }
  }
  return found;
}
