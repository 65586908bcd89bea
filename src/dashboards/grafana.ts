/**
 * Dashboards in Grafana's classic JSON, which every version imports and provisions: rows of panels that flow from left to
 * right. Only what our own dashboards use of the model.
 */

export interface Query {
  readonly expr: string;
  /** `{{label}}` is filled in. */
  readonly legend?: string;
}

/** From `from` on, ascending; the first has none. */
export interface Threshold {
  readonly color: 'green' | 'yellow' | 'red' | 'blue' | 'transparent';
  readonly from?: number;
}

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly type: 'timeseries' | 'stat' | 'gauge' | 'bargauge' | 'table' | 'state-timeline';
  readonly queries: readonly Query[];
  /** Of 24 columns. */
  readonly width: number;
  readonly height?: number;
  /** As Grafana calls it: `percentunit`, `s`, `bytes`. */
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  readonly thresholds?: readonly Threshold[];
  /** What a value is called, and in which color. */
  readonly mappings?: Readonly<Record<string, readonly [text: string, color: string]>>;
  /** Of a stat: the labels of the series are what is to be read, not its value. */
  readonly showsName?: boolean;
  /** A value holds until the next: weights, states, thresholds. */
  readonly isStepped?: boolean;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Annotation {
  readonly name: string;
  readonly color: string;
  readonly expr: string;
  readonly title: string;
  /** The value of the series is the moment, in ms, rather than the time of the sample. */
  readonly isTimeTheValue?: boolean;
}

export interface Dashboard {
  /** Stable, at most 40 characters: links, alerts and preflight name it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  /** How far back it shows at first: `6h`. */
  readonly shows: string;
  /** Besides the data source. */
  readonly variables?: readonly Variable[];
  readonly annotations: readonly Annotation[];
  readonly rows: readonly Row[];
}

/** Values of a label to choose from; all at first. */
export interface Variable {
  readonly name: string;
  readonly label: string;
  /** `label_values(metric, label)`. */
  readonly query: string;
}

const COLUMNS = 24;
const HEIGHT = 7;
/** A variable, because provisioning does not fill in `__inputs`. Grafana's own placeholder, no template of ours. */
const datasource = { type: 'prometheus', uid: ['$', '{datasource}'].join('') };

export function dashboardJson(dashboard: Dashboard): object {
  const { uid, title, description, tags, shows, annotations, rows, variables = [] } = dashboard;
  return {
    uid,
    title,
    description,
    tags,
    editable: false,
    graphTooltip: 1,
    refresh: '30s',
    schemaVersion: 39,
    time: { from: `now-${shows}`, to: 'now' },
    timezone: 'utc',
    annotations: { list: annotations.map(annotationJson) },
    templating: { list: [datasourceVariable, ...variables.map(variableJson)] },
    panels: layout(rows),
  };
}

/** Every query of a dashboard, with the panel that shows it. */
export function queriesOf({ rows }: Pick<Dashboard, 'rows'>) {
  return rows.flatMap(({ panels }) =>
    panels.flatMap((panel) => panel.queries.map(({ expr }) => ({ panel: panel.title, expr }))),
  );
}

function layout(rows: readonly Row[]): readonly object[] {
  const placed: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    const gridPos = { x: 0, y, w: COLUMNS, h: 1 };
    const id = placed.length + 1;
    placed.push({ id, type: 'row', title, collapsed: false, panels: [], gridPos });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const panel of panels) {
      const h = panel.height ?? HEIGHT;
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += tallest;
        tallest = 0;
      }
      placed.push(panelJson(panel, placed.length + 1, { x, y, w: panel.width, h }));
      x += panel.width;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  return placed;
}

function panelJson(panel: Panel, id: number, gridPos: object): object {
  const { type, title, description, queries } = panel;
  const isOverTime = type === 'timeseries' || type === 'state-timeline';
  const targets = queries.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource,
    expr,
    legendFormat: legend ?? '__auto',
    range: isOverTime,
    instant: !isOverTime,
    ...(type === 'table' ? { format: 'table' } : {}),
  }));
  return {
    id,
    type,
    title,
    description,
    gridPos,
    datasource,
    fieldConfig: { defaults: fieldDefaults(panel), overrides: [] },
    options: optionsOf(panel),
    targets,
  };
}

function fieldDefaults(panel: Panel): object {
  const { unit = 'short', min, max, thresholds, mappings, type, isStepped } = panel;
  const custom = {
    lineInterpolation: isStepped === true ? 'stepAfter' : 'linear',
    showPoints: 'never',
    ...(thresholds === undefined ? {} : { thresholdsStyle: { mode: 'line' } }),
  };
  return {
    unit,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(thresholds === undefined ? {} : { thresholds: thresholdsJson(thresholds) }),
    ...(mappings === undefined ? {} : { mappings: [mappingJson(mappings)] }),
    ...(type === 'timeseries' ? { custom } : {}),
  };
}

function thresholdsJson(thresholds: readonly Threshold[]): object {
  const steps = thresholds.map(({ color, from }) => ({ color, value: from ?? null }));
  return { mode: 'absolute', steps };
}

function mappingJson(mappings: NonNullable<Panel['mappings']>): object {
  const options = Object.fromEntries(
    Object.entries(mappings).map(([value, [text, color]], index) => [
      value,
      { text, color, index },
    ]),
  );
  return { type: 'value', options };
}

function optionsOf({ type, showsName }: Panel): object {
  const reduceOptions = { calcs: ['lastNotNull'], fields: '', values: false };
  switch (type) {
    case 'timeseries':
      return {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'stat':
      return { reduceOptions, colorMode: 'value', textMode: showsName === true ? 'name' : 'auto' };
    case 'gauge':
      return { reduceOptions, showThresholdLabels: false, showThresholdMarkers: true };
    case 'bargauge':
      return { reduceOptions, orientation: 'horizontal', displayMode: 'basic' };
    case 'table':
      return { showHeader: true };
    default:
      return { showValue: 'auto', mergeValues: true, legend: { showLegend: false } };
  }
}

function annotationJson({ name, color, expr, title, isTimeTheValue }: Annotation): object {
  return {
    name,
    datasource,
    enable: true,
    iconColor: color,
    expr,
    titleFormat: title,
    step: '15s',
    ...(isTimeTheValue === true ? { useValueForTime: true } : {}),
  };
}

const datasourceVariable = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
  current: {},
  hide: 0,
};

function variableJson({ name, label, query }: Variable): object {
  return {
    name,
    label,
    type: 'query',
    datasource,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}
