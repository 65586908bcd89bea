/** One Grafana: whether it is well, what a dashboard asks, and whether its panels have something to show. */
import { z } from 'zod';
import type { Clock } from '#ports/clock.ts';
import type {
  Dashboard,
  DashboardPanel,
  DashboardServer,
  PanelData,
  Told,
} from '#ports/monitoring-systems.ts';
import type { Reply, Service } from '#transport/service.ts';
import { createDatasources } from './datasources.ts';
import { newestAtMs, queryAnswer } from './frames.ts';
import {
  type DashboardModel,
  type DatasourceModel,
  dashboardAnswer,
  datasourcesAnswer,
  libraryAnswer,
  type PanelModel,
  settingsAnswer,
} from './model.ts';
import { panelsIn, toPanel } from './panels.ts';
import { type Window, withValues } from './query-variables.ts';
import { createVariables } from './variables.ts';

const healthAnswer = z.object({ database: z.string(), version: z.string().optional() });
const errorAnswer = z.object({ message: z.string() });

/** Points of a query: more would show no more of whether there are any. */
const POINTS_MAX = 100;
/** Values of variables are those of this time; what is gone longer shows nothing anyway. */
const VALUES_OF_MS = 15 * 60_000;
/** The least step, as Grafana's own of a Prometheus. */
const STEP_MIN_MS = 15_000;

export function createDashboardServer(
  service: Service,
  clock: Pick<Clock, 'now'>,
): DashboardServer {
  return {
    url: service.url,
    async health(signal) {
      const read = readReply(
        service,
        await service.ask({ path: '/api/health' }, signal),
        healthAnswer,
      );
      if (read.type !== 'told') return read;
      const { database, version = '' } = read.value;
      if (database === 'ok') return { type: 'told', value: version };
      return service.failed(`says that its database is ${database}`);
    },
    dashboard(uid, signal) {
      const endMs = clock.now();
      const window = { startMs: endMs - VALUES_OF_MS, endMs };
      return readDashboard(service, { uid, window }, signal);
    },
    panelData: (panel, window, signal) => askPanel(service, panel, window, signal),
  };
}

async function readDashboard(
  service: Service,
  { uid, window }: { readonly uid: string; readonly window: Window },
  signal: AbortSignal,
): Promise<Told<Dashboard | undefined>> {
  const path = `/api/dashboards/uid/${encodeURIComponent(uid)}`;
  const reply = await service.ask({ path }, signal);
  if (reply.type === 'reply' && reply.status === 404 && errorAnswer.safeParse(reply.json).success) {
    return { type: 'told', value: undefined };
  }
  const read = readReply(service, reply, dashboardAnswer);
  if (read.type !== 'told') return read;
  const model = read.value.dashboard;
  if (model.elements !== undefined) {
    const { message } = service.failed(
      `has dashboard ${uid} in the schema with elements, which is not read yet`,
    );
    return { type: 'cannotTell', message };
  }
  const { panels, datasources: known } = await besides(service, model, signal);
  const listed = model.templating?.list ?? [];
  const variableModels = await withValues(service, listed, { known, window }, signal);
  const variables = createVariables(variableModels);
  const datasources = createDatasources(known, variables, variableModels);
  const value = {
    uid: model.uid || uid,
    title: model.title,
    panels: panels.flatMap((panel) => toPanel(panel, variables, datasources) ?? []),
  };
  return { type: 'told', value };
}

/** What the dashboard only refers to. */
async function besides(
  service: Service,
  model: DashboardModel,
  signal: AbortSignal,
): Promise<{
  readonly panels: readonly PanelModel[];
  readonly datasources: readonly DatasourceModel[];
}> {
  const [panels, datasources] = await Promise.all([
    Promise.all(panelsIn(model).map((panel) => withLibrary(service, panel, signal))),
    listDatasources(service, signal),
  ]);
  return { panels, datasources };
}

/** Some versions give a library panel's queries with the dashboard, others only its name. */
async function withLibrary(
  service: Service,
  panel: PanelModel,
  signal: AbortSignal,
): Promise<PanelModel> {
  const { libraryPanel, targets } = panel;
  if (!libraryPanel || (targets ?? []).length > 0) return panel;
  const path = `/api/library-elements/${encodeURIComponent(libraryPanel.uid)}`;
  const read = readReply(service, await service.ask({ path }, signal), libraryAnswer);
  if (read.type !== 'told') return panel;
  const { id, title } = panel;
  const { model } = read.value.result;
  return { ...model, id: id ?? model.id, title: title || model.title };
}

/** Empty where even the settings of the page may not be read: most panels name their data source by uid. */
async function listDatasources(
  service: Service,
  signal: AbortSignal,
): Promise<readonly DatasourceModel[]> {
  const listed = await service.ask({ path: '/api/datasources' }, signal);
  const read = readReply(service, listed, datasourcesAnswer);
  if (read.type === 'told') return read.value;
  const settings = await service.ask({ path: '/api/frontend/settings' }, signal);
  const page = readReply(service, settings, settingsAnswer);
  if (page.type !== 'told') return [];
  const { datasources, defaultDatasource } = page.value;
  return Object.entries(datasources).map(([name, one]) => ({
    ...one,
    name,
    isDefault: one.isDefault === true || name === defaultDatasource,
  }));
}

async function askPanel(
  service: Service,
  panel: DashboardPanel,
  { startMs, endMs }: { readonly startMs: number; readonly endMs: number },
  signal: AbortSignal,
): Promise<Told<PanelData>> {
  const intervalMs = Math.max(STEP_MIN_MS, Math.ceil((endMs - startMs) / POINTS_MAX));
  const points = { intervalMs, maxDataPoints: POINTS_MAX };
  const shown = panel.queries.map(({ body }) => ({ ...points, ...body, ...points }));
  const hidden = (panel.inputs ?? []).map(({ body }) => ({ ...body, ...points, hide: true }));
  const body = { queries: [...shown, ...hidden], from: String(startMs), to: String(endMs) };
  const reply = await service.ask({ path: '/api/ds/query', body }, signal);
  if (reply.type === 'failed') return reply;
  const read = queryAnswer.safeParse(reply.json);
  if (!read.success) return refusalOf(service, reply);
  const { results } = read.data;
  for (const { refId } of panel.queries) {
    const error = results[refId]?.error;
    if (error) return service.failed(`cannot show query ${refId}: ${error}`);
  }
  if (reply.status >= 400) return refusalOf(service, reply);
  const frames = panel.queries.flatMap(({ refId }) => results[refId]?.frames ?? []);
  return { type: 'told', value: { newestAtMs: newestAtMs(frames, endMs) } };
}

type Answered = Extract<Reply, { type: 'reply' }>;

/** With Grafana's own sentence, where there is one. */
function refusalOf(service: Service, { status, json, refusal }: Answered): Told<never> {
  const said = errorAnswer.safeParse(json);
  if (said.success && status >= 400)
    return service.failed(`answered ${status}: ${said.data.message}`);
  return status === 200 ? notGrafana(service) : refusal;
}

function readReply<T>(service: Service, reply: Reply, schema: z.ZodType<T>): Told<T> {
  if (reply.type === 'failed') return reply;
  if (reply.status !== 200) return reply.refusal;
  const read = schema.safeParse(reply.json);
  return read.success ? { type: 'told', value: read.data } : notGrafana(service);
}

function notGrafana(service: Service): Told<never> {
  return service.failed('does not answer as Grafana does; is the url right?');
}
