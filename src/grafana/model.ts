/** Grafana's JSON of a dashboard: as much of it as says which queries its panels make. */
import { z } from 'zod';

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** `{type, uid}`, or a name as older dashboards have it; null means the default one. */
const datasource = z
  .union([z.string(), z.object({ type: z.string().optional(), uid: z.string().nullish() })])
  .nullish();

const target = z.looseObject({
  refId: z.string().optional(),
  hide: z.boolean().nullish(),
  datasource,
});

const panel = z.object({
  id: z.number().optional(),
  type: z.string().default(''),
  title: z.string().nullish(),
  datasource,
  targets: z.array(target).nullish(),
  libraryPanel: z.object({ uid: z.string() }).nullish(),
  get panels() {
    return z.array(panel).nullish();
  },
});

const values = z.union([text, z.array(text)]).nullish();

const variable = z.object({
  name: z.string(),
  type: z.string().default(''),
  current: z.object({ value: values, text: values }).partial().nullish(),
  options: z.array(z.object({ value: values, text: values }).partial()).nullish(),
  /** An object, where a data source has its own form of a query. */
  query: z.unknown().optional(),
  datasource,
  multi: z.boolean().nullish(),
  includeAll: z.boolean().nullish(),
  allValue: z.string().nullish(),
  regex: z.string().nullish(),
  sort: z.number().nullish(),
});

const dashboard = z.object({
  uid: z.string().default(''),
  title: z.string().default(''),
  panels: z.array(panel).nullish(),
  /** Until version 5. */
  rows: z.array(z.object({ panels: z.array(panel).nullish() })).nullish(),
  templating: z.object({ list: z.array(variable).nullish() }).nullish(),
  /** Of the schema that came with version 12, in place of panels. */
  elements: z.unknown().optional(),
});

export const dashboardAnswer = z.object({ dashboard });

export const libraryAnswer = z.object({ result: z.object({ model: panel }) });

const oneDatasource = z.object({
  uid: z.string(),
  name: z.string(),
  type: z.string(),
  isDefault: z.boolean().nullish(),
});

export const datasourcesAnswer = z.array(oneDatasource);

/** What those may read who may not list data sources. */
export const settingsAnswer = z.object({
  datasources: z.record(z.string(), oneDatasource.partial({ name: true })),
  defaultDatasource: z.string().nullish(),
});

export type DatasourceRef = z.output<typeof datasource>;
export type TargetModel = z.output<typeof target>;
export type PanelModel = z.output<typeof panel>;
export type VariableModel = z.output<typeof variable>;
export type DashboardModel = z.output<typeof dashboard>;
export type DatasourceModel = z.output<typeof oneDatasource>;
