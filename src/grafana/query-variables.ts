/**
 * Variables that were saved without a choice: Grafana's page asks their query when it is opened and takes the first value. The
 * same is done here for `label_values` of Prometheus; others stay as they are.
 */
import { RE2JS } from 're2js';
import { z } from 'zod';
import type { Service } from '#transport/service.ts';
import { createDatasources } from './datasources.ts';
import type { DatasourceModel, VariableModel } from './model.ts';
import { createVariables } from './variables.ts';

export interface Window {
  readonly startMs: number;
  readonly endMs: number;
}

const valuesAnswer = z.object({ data: z.array(z.string()).nullable() });

/** Descending, alphabetically and as numbers. */
const DESCENDING: readonly unknown[] = [2, 4, 6];

/** In order, since the query of one may name those before it. */
export async function withValues(
  service: Service,
  models: readonly VariableModel[],
  asked: { readonly known: readonly DatasourceModel[]; readonly window: Window },
  signal: AbortSignal,
): Promise<readonly VariableModel[]> {
  const found: VariableModel[] = [];
  for (const model of models) {
    const values = isOpen(model) ? await valuesOf(service, model, { ...asked, found }, signal) : [];
    found.push(
      values.length === 0 ? model : { ...model, options: values.map((value) => ({ value })) },
    );
  }
  return found;
}

/** One that may show all needs no value. */
function isOpen({ type, current, options, includeAll }: VariableModel): boolean {
  if (type !== 'query' || includeAll === true) return false;
  const values = [current?.value ?? [], ...(options ?? []).map(({ value }) => value ?? [])].flat();
  return values.every((value) => value === '');
}

async function valuesOf(
  service: Service,
  model: VariableModel,
  asked: {
    readonly known: readonly DatasourceModel[];
    readonly window: Window;
    readonly found: readonly VariableModel[];
  },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { known, found, window } = asked;
  const variables = createVariables(found);
  const datasource = createDatasources(known, variables, found).find(model.datasource);
  const query = labelQuery(variables.fill(textOf(model.query), 'regex'));
  if (query === undefined || datasource === undefined) return [];
  const base = `/api/datasources/uid/${encodeURIComponent(datasource.uid)}/resources`;
  const path = `${base}/api/v1/label/${encodeURIComponent(query.label)}/values`;
  const match = query.series === undefined ? [] : [['match[]', query.series] as const];
  const fields = [
    ...match,
    ['start', String(Math.floor(window.startMs / 1000))],
    ['end', String(Math.ceil(window.endMs / 1000))],
  ] as const;
  const reply = await service.ask({ path, fields }, signal);
  if (reply.type === 'failed' || reply.status !== 200) return [];
  const values = valuesAnswer.safeParse(reply.json).data?.data ?? [];
  const ordered = DESCENDING.includes(model.sort) ? values.toReversed() : values;
  return selected(ordered, model.regex ?? '');
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query;
  const text: unknown =
    typeof query === 'object' && query !== null ? Reflect.get(query, 'query') : '';
  return typeof text === 'string' ? text : '';
}

function labelQuery(text: string): { label: string; series: string | undefined } | undefined {
  const [, inner] = /^\s*label_values\((.*)\)\s*$/s.exec(text) ?? [];
  if (inner === undefined) return undefined;
  const [, series, label = ''] = /^(?:(.*),)?\s*([^\s,]+)\s*$/s.exec(inner) ?? [];
  return label === '' ? undefined : { label, series: series?.trim() };
}

/** By the regular expression of the variable: of its first group, where it has one. */
function selected(values: readonly string[], regex: string): readonly string[] {
  if (regex === '') return values;
  const [, inner = regex, flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(regex) ?? [];
  try {
    const pattern = RE2JS.compile(flags.includes('i') ? `(?i)${inner}` : inner);
    return values.flatMap((value) => {
      const matcher = pattern.matcher(value);
      if (!matcher.find()) return [];
      return [matcher.groupCount() > 0 ? (matcher.group(1) ?? '') : value];
    });
  } catch {
    return [];
  }
}
