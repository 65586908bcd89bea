/** The Helm chart as Helm renders it, for the tests of the chart. */
import { type Rendering, render } from '#scripts/gen/chart/render.ts';
import { CommandError } from '#scripts/testbed/command.ts';
import type { KubeObject } from '#scripts/testbed/index.ts';

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
