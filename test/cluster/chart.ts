/** The Helm chart as Helm renders it, for the tests of the chart. */
import { parseAllDocuments, stringify } from 'yaml';
import { CommandError, run } from '#scripts/testbed/command.ts';
import { type KubeObject, type ToolName, toolPath } from '#scripts/testbed/index.ts';

export const chartFolder = 'charts/genesis-rollout';
export const chartNamespace = 'genesis-system';

export type HelmName = Extract<ToolName, 'helm' | 'helm4'>;

export interface Rendering {
  readonly helm?: HelmName;
  readonly release?: string;
  readonly namespace?: string;
  readonly chart?: string;
}

/** Values are given as they would stand in a file of the user's own. */
export async function render(
  values: object = {},
  options: Rendering = {},
): Promise<readonly KubeObject[]> {
  const { helm = 'helm', release = 'genesis-rollout', namespace = chartNamespace } = options;
  const { chart = chartFolder } = options;
  const args = ['template', release, chart, '--namespace', namespace, '--values', '-'];
  const text = await run(await toolPath(helm), args, {
    // Helm reads YAML 1.1, where a bare yes is a boolean.
    input: stringify(values, { version: '1.1' }),
  });
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}

/** What Helm says where it refuses the values. */
export async function refusal(values: object, options: Rendering = {}): Promise<string> {
  try {
    await render(values, options);
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
  return 'nothing was refused';
}

/** `Deployment genesis-system/genesis-rollout`. */
export function titleOf({ kind, metadata }: KubeObject): string {
  const { namespace, name } = metadata;
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

/** The only object of this kind, and of this name where one is given. */
export function only(objects: readonly KubeObject[], kind: string, name?: string): KubeObject {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(
      `${found.length} of ${kind} ${name ?? ''} among ${objects.map(titleOf).join(', ')}`,
    );
  }
  return first;
}

/** A field by its path, `spec.template.spec.containers.0.args`; undefined where there is none. */
export function field(object: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => {
    if (typeof value !== 'object' || value === null) return undefined;
    return Reflect.get(value, name);
  }, object);
}
