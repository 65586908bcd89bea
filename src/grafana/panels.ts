/** From the JSON of a dashboard to its panels' queries, as the query API takes them. */
import type { DashboardPanel, DashboardQuery } from '#ports/monitoring-systems.ts';
import { type Datasource, type Datasources, hasNoServer, isExpression } from './datasources.ts';
import type { DashboardModel, DatasourceRef, PanelModel, TargetModel } from './model.ts';
import type { Style, Variables } from './variables.ts';

/** Panels that show no data of a query, whatever queries are left in their JSON. */
const NO_QUERIES = new Set(['row', 'text', 'news', 'dashlist', 'alertlist', 'annolist', 'welcome']);

/** Data sources whose strings are parts of regular expressions. */
const REGEX_TYPES = new Set(['prometheus', 'loki']);

/** Those in rows that are closed too. */
export function panelsIn(model: Pick<DashboardModel, 'panels' | 'rows'>): readonly PanelModel[] {
  const rows = (model.rows ?? []).flatMap(({ panels }) => panels ?? []);
  return [...rows, ...(model.panels ?? [])].flatMap((panel) => [
    panel,
    ...panelsIn({ panels: panel.panels, rows: undefined }),
  ]);
}

/** @returns undefined when the panel asks nothing */
export function toPanel(
  panel: PanelModel,
  variables: Variables,
  datasources: Datasources,
): DashboardPanel | undefined {
  if (NO_QUERIES.has(panel.type)) return undefined;
  const targets = (panel.targets ?? []).flatMap((target, index) => {
    const ref = refOf(target, panel);
    if (hasNoServer(ref)) return [];
    const refId = target.refId ?? String.fromCharCode('A'.charCodeAt(0) + index);
    const query = { refId, body: bodyOf(target, refId, variables, datasources.find(ref)) };
    return [{ query, isHidden: target.hide === true, isExpression: isExpression(ref) }];
  });
  const queries = targets.filter(({ isHidden }) => !isHidden).map(({ query }) => query);
  if (queries.length === 0) return undefined;
  const isCalculated = targets.some((one) => one.isExpression && !one.isHidden);
  const hidden = targets.filter(({ isHidden }) => isHidden).map(({ query }) => query);
  return {
    id: panel.id ?? 0,
    title: variables.fill(panel.title ?? '', 'glob'),
    queries,
    ...(isCalculated && hidden.length > 0 ? { inputs: hidden } : {}),
  };
}

/** A query's own, else that of its panel, unless that one is mixed. */
function refOf(target: TargetModel, panel: PanelModel): DatasourceRef {
  const isOwn = target.datasource !== null && target.datasource !== undefined;
  return isOwn ? target.datasource : panel.datasource;
}

function bodyOf(
  target: TargetModel,
  refId: string,
  variables: Variables,
  datasource: Datasource | undefined,
): DashboardQuery['body'] {
  const style: Style =
    datasource?.type === undefined || REGEX_TYPES.has(datasource.type) ? 'regex' : 'glob';
  const { datasource: _ref, refId: _refId, hide: _hide, ...rest } = target;
  const filled = fillIn(rest, (text) => variables.fill(text, style));
  return {
    ...filled,
    refId,
    ...(datasource === undefined ? {} : { datasource: named(datasource) }),
  };
}

function named({ uid, type }: Datasource): object {
  return type === undefined ? { uid } : { uid, type };
}

function fillIn(
  fields: Readonly<Record<string, unknown>>,
  fill: (text: string) => string,
): Record<string, unknown> {
  const fillAny = (value: unknown): unknown => {
    if (typeof value === 'string') return fill(value);
    if (Array.isArray(value)) return value.map(fillAny);
    return isRecord(value) ? fillIn(value, fill) : value;
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, fillAny(value)]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
