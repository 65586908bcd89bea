/** The chart as Helm renders it: for deploy/, which is made from it, and for the tests of both. */
import { parseAllDocuments, stringify } from 'yaml';
import { run } from '#scripts/testbed/command.ts';
import { type KubeObject, type ToolName, toolPath } from '#scripts/testbed/index.ts';

export const chartFolder = 'charts/genesis-rollout';
export const chartNamespace = 'genesis-system';

export type HelmName = Extract<ToolName, 'helm' | 'helm4'>;

export interface Rendering {
  readonly helm?: HelmName;
  readonly release?: string;
  readonly namespace?: string;
  /** A file of the chart: only what it renders. */
  readonly template?: string;
}

/** Values are given as they would stand in a file of the user's own. Helm is built first where it is not there. */
export async function render(
  values: object = {},
  options: Rendering = {},
): Promise<readonly KubeObject[]> {
  const { helm = 'helm', release = 'genesis-rollout', namespace = chartNamespace } = options;
  const only = options.template === undefined ? [] : ['--show-only', options.template];
  const args = ['template', release, chartFolder, '--namespace', namespace, '--values', '-'];
  const say = (sentence: string) => process.stderr.write(`${sentence}\n`);
  const text = await run(await toolPath(helm, { say }), [...args, ...only], {
    // Helm reads YAML 1.1, where a bare yes is a boolean.
    input: stringify(values, { version: '1.1' }),
  });
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}
