/**
 * A dashboard's variables, filled in as Grafana's page does when it is opened: with what is chosen when it was saved. What
 * begins with `__`, such as `$__rate_interval`, is left as it is: the query API fills that in.
 */
import type { VariableModel } from './model.ts';

export interface Variables {
  /** @param style of a value that has no format of its own */
  fill(text: string, style: Style): string;
}

/** How several values are written where nothing says it: as an alternative, or as a glob. */
export type Style = 'regex' | 'glob';

interface Choice {
  readonly values: readonly string[];
  readonly texts: readonly string[];
  /** Several may be chosen: then a value is written as part of a regular expression. */
  readonly isList: boolean;
  /** Written as it stands: the value that somebody has set for all of them. */
  readonly isRaw: boolean;
}

const ALL = '$__all';

/** `$name`, `${name}`, `${name:format}`, `${name.field}` and `[[name]]`, which is as old as `[[name:format]]`. */
const REFERENCE = /\$\w+|\$\{\w[^}]*\}|\[\[\w+(?::\w+)?\]\]/g;

/** Variables whose values refer to others are filled in this deep. */
const DEPTH_MAX = 3;

export function createVariables(models: readonly VariableModel[]): Variables {
  const choices = new Map(models.map((model) => [model.name, choiceOf(model)]));
  const fill = (text: string, style: Style, depth: number): string =>
    text.replaceAll(REFERENCE, (found) => {
      const [path = '', format] = found.replaceAll(/^\$\{?|^\[\[|\]\]$|\}$/g, '').split(':', 2);
      const choice = choices.get(path.split('.', 1)[0] ?? '');
      if (choice === undefined) return found;
      const written = write(choice, format, style);
      return depth < DEPTH_MAX ? fill(written, style, depth + 1) : written;
    });
  return { fill: (text, style) => fill(text, style, 0) };
}

/** Undefined: it has no value, and is left as it is. */
function choiceOf(model: VariableModel): Choice | undefined {
  const { type, multi, includeAll, allValue } = model;
  const isList = multi === true || includeAll === true;
  const one = (value: string): Choice => ({
    values: [value],
    texts: [value],
    isList,
    isRaw: false,
  });
  const query = typeof model.query === 'string' ? model.query : '';
  if (type === 'constant') return one(query || (chosen(model)[0] ?? ''));
  const values = chosen(model);
  const isAll = values.includes(ALL) || (values.length === 0 && includeAll === true);
  if (!isAll) {
    if (values.length > 0) return { values, texts: textsOf(model), isList, isRaw: false };
    if (type === 'textbox') return one(query);
    const first = offered(model, query)[0];
    return first === undefined ? undefined : one(first);
  }
  if (allValue) return { values: [allValue], texts: ['All'], isList, isRaw: true };
  const all = offered(model, query);
  // What a query offers is not kept with the dashboard; whatever it is, this fits.
  if (all.length === 0) return { values: ['.*'], texts: ['All'], isList, isRaw: true };
  return { values: all, texts: ['All'], isList, isRaw: false };
}

function chosen({ type, current }: VariableModel): readonly string[] {
  const values = listOf(current?.value);
  // `auto` of an interval is as fine as a panel can show.
  if (type === 'interval' && values.some((value) => value.startsWith('$__auto'))) {
    return ['$__interval'];
  }
  return values.filter((value) => value !== '' || type === 'textbox');
}

function textsOf({ current }: VariableModel): readonly string[] {
  const texts = listOf(current?.text);
  return texts.length > 0 ? texts : listOf(current?.value);
}

/** What there is to choose from, as far as the dashboard itself says. */
function offered({ type, options }: VariableModel, query: string): readonly string[] {
  const known = (options ?? []).flatMap(({ value }) => listOf(value));
  const values = known.filter((value) => value !== ALL && value !== '');
  if (values.length > 0 || (type !== 'custom' && type !== 'interval')) return values;
  return query
    .split(',')
    .map((part) => part.trim().replace(/^.* : /, ''))
    .filter((part) => part !== '');
}

function listOf(value: string | readonly string[] | null | undefined): readonly string[] {
  if (value === null || value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

/** The formats of `${name:format}`. */
const FORMATS: Readonly<Record<string, (values: readonly string[]) => string>> = {
  raw: (values) => values.join(','),
  csv: (values) => values.join(','),
  pipe: (values) => values.join('|'),
  regex: (values) => alternative(values.map(escapeRegex)),
  glob: (values) => (values.length === 1 ? (values[0] ?? '') : `{${values.join(',')}}`),
  json: (values) => JSON.stringify(values.length === 1 ? values[0] : values),
  distributed: (values) => values.join(','),
  doublequote: (values) => values.map((value) => `"${value.replaceAll('"', '\\"')}"`).join(','),
  singlequote: (values) => values.map((value) => `'${value.replaceAll("'", "\\'")}'`).join(','),
  sqlstring: (values) => values.map((value) => `'${value.replaceAll("'", "''")}'`).join(','),
  percentencode: (values) =>
    encodeURIComponent(values.length === 1 ? (values[0] ?? '') : `{${values.join(',')}}`),
};

function write({ values, texts, isList, isRaw }: Choice, format: string | undefined, style: Style) {
  if (format === 'text') return texts.join(' + ');
  const known = format === undefined ? undefined : FORMATS[format];
  if (isRaw) return values.join('');
  if (known !== undefined) return known(values);
  if (style === 'glob') return FORMATS['glob']?.(values) ?? '';
  // A single choice stands in a string of PromQL, several stand in a regular expression in one.
  if (!isList) return values.join('').replaceAll('\\', '\\\\');
  return alternative(values.map((value) => escapeRegex(value).replaceAll('\\', '\\\\')));
}

function alternative(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : `(${values.join('|')})`;
}

function escapeRegex(value: string): string {
  return value.replaceAll(/[\\^$*+?.()|[\]{}/]/g, (char) => `\\${char}`);
}
