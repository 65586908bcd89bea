/** files/dashboard.json of the chart: the panels of dashboard-panels.ts as the classic JSON that every Grafana provisions. */
import { type Panel, rows } from './dashboard-panels.ts';

const COLUMNS = 24;
const HEIGHT = 7;
/** A variable, because provisioning does not fill in `__inputs`. */
const datasource = { type: 'prometheus', uid: '$datasource' };

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export function dashboardJson(): string {
  const dashboard = {
    uid: 'genesis-rollout',
    title: 'Genesis Rollout',
    tags: ['genesis', 'rollout'],
    description: 'Rollouts, what is watched meanwhile, and how the operator itself is.',
    editable: false,
    graphTooltip: 1,
    refresh: '30s',
    schemaVersion: 39,
    time: { from: 'now-6h', to: 'now' },
    timezone: 'utc',
    annotations: { list: [weightChanges] },
    templating: { list: variables },
    panels: layout(),
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}

/** Panels flow from left to right under the heading of their row. */
function layout(): readonly object[] {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: own } of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const panel of own) {
      const h = panel.height ?? HEIGHT;
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += tallest;
        tallest = 0;
      }
      panels.push(panelJson(panel, panels.length + 1, { x, y, w: panel.width, h }));
      x += panel.width;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  return panels;
}

function panelJson(panel: Panel, id: number, gridPos: Place): object {
  const { title, description, type, unit = 'short', min, max, queries } = panel;
  return {
    id,
    type,
    title,
    description,
    gridPos,
    datasource,
    fieldConfig: {
      defaults: {
        unit,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        ...(type === 'timeseries' ? { custom: { lineInterpolation: 'stepAfter' } } : {}),
      },
      overrides: [],
    },
    options: options[type],
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource,
      expr,
      legendFormat: legend ?? '__auto',
      range: type !== 'table' && type !== 'stat',
      instant: type === 'table' || type === 'stat',
      ...(type === 'table' ? { format: 'table' } : {}),
    })),
  };
}

const options: Readonly<Record<Panel['type'], object>> = {
  timeseries: {
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  stat: { reduceOptions: { calcs: ['lastNotNull'] }, textMode: 'auto', colorMode: 'value' },
  table: { showHeader: true },
  'state-timeline': { showValue: 'auto', mergeValues: true, legend: { displayMode: 'hidden' } },
};

const variables = [
  {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    current: {},
    hide: 0,
  },
  chosenBy('namespace', 'Namespace', 'label_values(genesis_rollout_phase, namespace)'),
  chosenBy(
    'rollout',
    'Rollout',
    'label_values(genesis_rollout_phase{namespace=~"$namespace"}, rollout)',
  ),
];

function chosenBy(name: string, label: string, query: string): object {
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

const weightChanges = {
  name: 'Weight',
  datasource,
  enable: true,
  iconColor: 'blue',
  expr: 'changes(genesis_rollout_weight_ratio{namespace=~"$namespace",rollout=~"$rollout"}[1m]) > 0',
  titleFormat: 'weight of {{namespace}}/{{rollout}} changed',
  step: '1m',
};
