/** Dashboards that people are to look at: each is there, and every panel of it shows something that is not old. */
import type { SystemHealth } from '#core/chain.ts';
import { spanText } from '#core/time.ts';
import type {
  Dashboard,
  DashboardPanel,
  DashboardServer,
  MonitoringSystems,
} from '#ports/monitoring-systems.ts';
import {
  advice,
  broken,
  cannotTell,
  type Draft,
  type Fault,
  fine,
  listed,
  notTold,
} from './finding.ts';
import type { Questions } from './questions.ts';

/** A panel whose newest value is older shows nothing of now. */
const OLD_MS = 120_000;
const WINDOW_MS = 15 * 60_000;

export interface DashboardHealth {
  readonly health: SystemHealth;
  /** What stands in the way of every dashboard; undefined: nothing. */
  readonly obstacle: Draft | undefined;
}

export async function grafanaHealth(
  asked: Questions,
  { dashboards }: Pick<MonitoringSystems, 'dashboards'>,
): Promise<DashboardHealth> {
  const place = { link: 'grafana', subject: 'Grafana' } as const;
  if (dashboards === undefined) {
    const message = 'whether dashboards show data cannot be told: no Grafana is configured';
    return { health: { state: 'NotConfigured' }, obstacle: cannotTell(place, message) };
  }
  const told = await asked.turn(() => dashboards.health(asked.signal));
  if (told.type === 'told') return { health: { state: 'Up' }, obstacle: undefined };
  const obstacle = broken(place, {
    cause: 'unreachable',
    message: `Grafana (${dashboards.url}) does not answer: ${told.message}`,
    mend: 'See that it runs, and that address and token of the operator are right.',
  });
  return { health: { state: 'Down', message: told.message }, obstacle };
}

/** @param idleService the Service of the arm that is meant to have no traffic; undefined: both have some */
export async function checkDashboard(
  asked: Questions,
  server: DashboardServer,
  { uid, idleService }: { readonly uid: string; readonly idleService: string | undefined },
): Promise<readonly Draft[]> {
  const place = { link: 'dashboard', subject: uid } as const;
  const told = await asked.turn(() => server.dashboard(uid, asked.signal));
  if (told.type !== 'told') return [notTold(place, `dashboard ${uid}`, told)];
  const dashboard = told.value;
  if (dashboard === undefined) {
    return [
      broken(place, {
        cause: 'dashboardMissing',
        message: `dashboard ${uid} is missing: Grafana has none with this uid`,
        mend: 'Correct the uid in spec.preflight.dashboards (it stands in the address of the dashboard), or provision it.',
      }),
    ];
  }
  const panels = dashboard.panels.filter(({ queries }) => queries.length > 0);
  if (panels.length === 0) {
    const none: Fault = {
      cause: 'panelEmpty',
      message: `dashboard ${uid} has no panel with a query`,
      mend: 'Give it panels, or take it out of spec.preflight.dashboards.',
    };
    return [advice(place, none)];
  }
  const drafts = await Promise.all(
    panels.map((panel) => checkPanel(asked, server, { dashboard, panel, idleService })),
  );
  const bad = drafts.filter(({ verdict }) => verdict !== 'fine');
  const good = drafts.length - bad.length;
  const summary = fine(
    place,
    `dashboard ${uid} (${dashboard.title}): ${good} of ${drafts.length} panels show data`,
  );
  return [summary, ...bad];
}

async function checkPanel(
  asked: Questions,
  server: DashboardServer,
  of: {
    readonly dashboard: Dashboard;
    readonly panel: DashboardPanel;
    readonly idleService: string | undefined;
  },
): Promise<Draft> {
  const { dashboard, panel, idleService } = of;
  const title = panel.title === '' ? `panel ${panel.id}` : `panel "${panel.title}"`;
  const place = { link: 'panel', subject: `${title} of ${dashboard.uid}` } as const;
  const endMs = asked.nowMs();
  const window = { startMs: endMs - WINDOW_MS, endMs };
  const told = await asked.turn(() => server.panelData(panel, window, asked.signal));
  const query = listed(panel.queries.map(queryText), 2);
  if (told.type === 'failed') {
    return broken(place, {
      cause: 'queryFails',
      message: `${title} shows an error: ${told.message} (${query})`,
      mend: 'Correct the query of the panel, or its data source.',
    });
  }
  if (told.type === 'cannotTell') return notTold(place, `what ${title} shows`, told);
  const { newestAtMs } = told.value;
  const ageMs = newestAtMs === undefined ? undefined : endMs - newestAtMs;
  if (ageMs !== undefined && ageMs <= OLD_MS) return fine(place, `${title} shows data`);
  if (
    idleService !== undefined &&
    panel.queries.every((one) => names(queryText(one), idleService))
  ) {
    const message = `${title} shows nothing, as expected: ${idleService} gets no traffic`;
    return { ...place, verdict: 'noTrafficExpected', cause: 'noTrafficYet', message };
  }
  return broken(place, {
    cause: 'panelEmpty',
    message:
      ageMs === undefined
        ? `${title} shows no data (${query})`
        : `${title} shows nothing newer than ${spanText(ageMs)} (${query})`,
    mend: 'Run its query in Prometheus: the metric, a label or the data source of the panel is wrong, or the service exports nothing.',
  });
}

/** What the panel asks, in the language of its data source where that is said. */
function queryText({ body, refId }: DashboardPanel['queries'][number]): string {
  const text = body['expr'] ?? body['query'] ?? body['rawSql'];
  return typeof text === 'string' && text.trim() !== '' ? text.trim() : `query ${refId}`;
}

/** The whole name: `checkout` does not stand in `checkout-canary`. */
function names(text: string, service: string): boolean {
  return text.split(/[^a-zA-Z0-9-]+/).includes(service);
}
