/** Which data source a panel asks: by uid, by name, by a variable, or the default one. */
import type { DatasourceModel, DatasourceRef, VariableModel } from './model.ts';
import type { Variables } from './variables.ts';

export interface Datasource {
  readonly uid: string;
  readonly type: string | undefined;
}

export interface Datasources {
  /** Undefined: there is none that can be told. */
  find(ref: DatasourceRef): Datasource | undefined;
}

const EXPRESSION = '__expr__';

/** Made up by Grafana's page, so the query API does not know them. */
const NO_SERVER = new Set(['-- Mixed --', '-- Dashboard --', '-- Grafana --', 'grafana']);

export function isExpression(ref: DatasourceRef): boolean {
  return typeof ref === 'object' && ref !== null
    ? ref.uid === EXPRESSION || ref.type === EXPRESSION
    : ref === EXPRESSION;
}

export function hasNoServer(ref: DatasourceRef): boolean {
  const name = typeof ref === 'object' && ref !== null ? ref.uid : ref;
  return typeof name === 'string' && NO_SERVER.has(name);
}

/** @param known empty where they may not be listed: then only what the dashboard itself says is known */
export function createDatasources(
  known: readonly DatasourceModel[],
  variables: Variables,
  models: readonly VariableModel[],
): Datasources {
  const standard = known.find(({ isDefault }) => isDefault === true);
  const byName = (name: string): DatasourceModel | undefined =>
    known.find(({ uid }) => uid === name) ?? known.find((one) => one.name === name);

  /** One that was saved without a choice shows the first of its type. */
  const firstOf = (name: string): DatasourceModel | undefined => {
    const [, variable] = /^\$\{?(\w+)\}?$|^\[\[(\w+)\]\]$/.exec(name)?.filter(Boolean) ?? [];
    const model = models.find((one) => one.name === variable && one.type === 'datasource');
    return known.find(({ type }) => type === model?.query);
  };

  return {
    find(ref) {
      if (isExpression(ref)) return { uid: EXPRESSION, type: EXPRESSION };
      const isObject = typeof ref === 'object' && ref !== null;
      const type = isObject ? ref.type : undefined;
      const written = (isObject ? ref.uid : ref) ?? '';
      if (written === '') {
        const one = type === undefined || standard?.type === type ? standard : undefined;
        return one ?? known.find((other) => other.type === type);
      }
      const name = variables.fill(written, 'glob');
      if (name === 'default') return standard;
      const found = byName(name) ?? firstOf(name);
      if (found !== undefined) return found;
      return name.includes('$') || name.includes('[[') ? undefined : { uid: name, type };
    },
  };
}
