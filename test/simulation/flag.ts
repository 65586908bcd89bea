/** The feature flag of a simulated world, written like its route: a percentage in a ConfigMap. */
import { configMapResource, fieldManager } from '#api/names.ts';
import type { RolloutSpecInput } from '#api/rollout.ts';
import type { KubeObject } from '#ports/cluster.ts';
import type { FakeApiServer } from '#test/fakes/cluster.ts';
import { name, namespace } from './scenario.ts';

const CONFIG_MAP = 'flags';
const OTHER = 'other';
const flagKey = { namespace, name: CONFIG_MAP };

export const featureFlag: NonNullable<RolloutSpecInput['traffic']['featureFlag']> = {
  configMap: CONFIG_MAP,
  key: name,
  format: 'Percent',
};

export function seedFlag(server: FakeApiServer): void {
  const metadata = { ...flagKey, generation: 1 };
  server.seed(configMapResource, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata,
    data: textOf(0),
  });
}

export function isFlag({ kind, metadata }: KubeObject): boolean {
  return kind === 'ConfigMap' && metadata.name === CONFIG_MAP;
}

export function flagWeight(object: KubeObject): number {
  return Number((object['data'] as Readonly<Record<string, string>>)[name]);
}

/** Another writer sets it. */
export function setFlag(server: FakeApiServer, weight: number): void {
  if (server.get(configMapResource, flagKey) === undefined) return;
  server.mergePatch(configMapResource, flagKey, { data: textOf(weight) }, { fieldManager: OTHER });
}

export function isFlagOurs(object: KubeObject): boolean {
  return lastWriter(object) === fieldManager;
}

/** Where the end of a run leaves it; a run that has rolled back lets go of it, and then it is whoever's writes it. */
export function isFlagSettled(server: FakeApiServer, phase: string | undefined): boolean {
  const object = server.get(configMapResource, flagKey);
  if (object === undefined) return true;
  if (phase === 'Succeeded') return flagWeight(object) === 100;
  return flagWeight(object) === 0 || lastWriter(object) === OTHER;
}

function lastWriter({ metadata }: KubeObject): string | undefined {
  const writers = (metadata.managedFields ?? []).filter((entry) => {
    const fields: unknown = entry.fieldsV1;
    return typeof fields === 'object' && fields !== null && 'f:data' in fields;
  });
  return writers.at(-1)?.manager;
}

function textOf(weight: number): Readonly<Record<string, string>> {
  return { [name]: String(weight) };
}
