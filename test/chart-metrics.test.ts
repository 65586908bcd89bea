/** The chart's alerts and its dashboard ask only for series that the operator has, by labels that they bear. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { checkPromql } from '#promql/check.ts';
import { events } from '#telemetry/catalogue.ts';
import { rolloutSeries } from '#telemetry/rollout-catalogue.ts';

const files = join(import.meta.dirname, '../charts/genesis-rollout/files');
const catalogue: Readonly<
  Record<string, { readonly type: string; readonly labels: readonly string[] }>
> = {
  ...rolloutSeries,
  ...events,
  // Of prom-client itself.
  process_resident_memory_bytes: { type: 'gauge', labels: [] },
};
/** Of the target. */
const scraped = ['job', 'instance'];

const alerts = z
  .object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            alert: z.string(),
            expr: z.string(),
            labels: z.object({ severity: z.enum(['critical', 'warning', 'info']) }),
            annotations: z.object({ summary: z.string(), description: z.string() }),
          }),
        ),
      }),
    ),
  })
  .parse(parse(readFileSync(join(files, 'alerts.yaml'), 'utf8')))
  .groups.flatMap(({ rules }) => rules);

const dashboard = z
  .object({
    panels: z.array(
      z.object({
        id: z.number(),
        title: z.string(),
        gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
        targets: z.array(z.object({ expr: z.string() })).default([]),
      }),
    ),
    annotations: z.object({ list: z.array(z.object({ name: z.string(), expr: z.string() })) }),
  })
  .parse(JSON.parse(readFileSync(join(files, 'dashboard.json'), 'utf8')));

const questions: readonly { readonly from: string; readonly expr: string }[] = [
  ...alerts.map(({ alert, expr }) => ({ from: `alert ${alert}`, expr })),
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ from: `panel ${title}`, expr })),
  ),
  ...dashboard.annotations.list.map(({ name, expr }) => ({ from: `annotation ${name}`, expr })),
];

describe('what the chart asks of Prometheus', () => {
  for (const { from, expr } of questions) {
    it(`${from} exists`, () => {
      const checked = checkPromql(expr.replaceAll('$__rate_interval', '5m'));
      assert.equal(checked.type, 'ok', JSON.stringify(checked));
      if (checked.type !== 'ok') return;
      for (const { metric = '', matchers } of checked.selectors) {
        const known = declared(metric);
        assert.ok(known !== undefined, `${metric} is no metric of the operator`);
        for (const { label } of matchers) {
          assert.ok([...known, ...scraped].includes(label), `${metric} has no label ${label}`);
        }
      }
    });
  }

  it('is at least ten alerts and twenty panels, each with a name of its own', () => {
    const names = [
      ...alerts.map(({ alert }) => alert),
      ...dashboard.panels.map(({ title }) => title),
    ];
    assert.equal(new Set(names).size, names.length);
    assert.ok(alerts.length >= 10 && dashboard.panels.length >= 20);
  });
});

describe('panels', () => {
  it('lie within 24 columns and beside each other', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos;
      assert.ok(x + w <= 24, title);
      for (let row = y; row < y + h; row += 1) {
        for (let column = x; column < x + w; column += 1) {
          const place = `${column},${row}`;
          assert.equal(taken.get(place), undefined, `${title} lies on ${taken.get(place) ?? ''}`);
          taken.set(place, title);
        }
      }
    }
  });
});

/** The labels of a series; undefined for one that the operator does not have. */
function declared(metric: string): readonly string[] | undefined {
  const whole = catalogue[metric];
  if (whole !== undefined) return whole.type === 'histogram' ? undefined : whole.labels;
  const [, base = '', suffix = ''] = /^(.*)(_bucket|_sum|_count)$/.exec(metric) ?? [];
  const histogram = catalogue[base];
  if (histogram?.type !== 'histogram') return undefined;
  return suffix === '_bucket' ? [...histogram.labels, 'le'] : histogram.labels;
}
