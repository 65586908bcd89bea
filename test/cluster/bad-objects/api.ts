/** The few requests that the tests of the API make, and what they ask of the answers. */
import assert from 'node:assert/strict';
import type { ApiClient, ControlPlane, KubeObject } from '#scripts/testbed/index.ts';
import { patched } from './patch.ts';

export type Answer = Awaited<ReturnType<ApiClient['send']>>;

export const apiPath = '/apis/genesis.dev/v1alpha1';

export async function ensureNamespace(plane: ControlPlane, name: string): Promise<string> {
  await plane.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  return name;
}

export interface Where {
  readonly namespace: string;
  /** Default: genesisrollouts. */
  readonly plural?: string;
  readonly dryRun?: boolean;
  /** Default true: unknown fields are refused. */
  readonly strict?: boolean;
}

/** Creates a copy of the object in the namespace. */
export async function create(plane: ControlPlane, where: Where, object: object): Promise<Answer> {
  const { namespace, plural = 'genesisrollouts', dryRun = false, strict = true } = where;
  const options = `fieldValidation=${strict ? 'Strict' : 'Ignore'}${dryRun ? '&dryRun=All' : ''}`;
  return await plane.client.send(
    'POST',
    `${apiPath}/namespaces/${namespace}/${plural}?${options}`,
    {
      body: patched(object, { 'metadata.namespace': namespace }),
    },
  );
}

/** A merge patch of `name`, which may be that of a subresource: `checkout/status`. */
export async function merge(
  plane: ControlPlane,
  where: Where,
  name: string,
  body: object,
): Promise<Answer> {
  const { namespace, plural = 'genesisrollouts' } = where;
  return await plane.client.send('PATCH', `${apiPath}/namespaces/${namespace}/${plural}/${name}`, {
    contentType: 'application/merge-patch+json',
    body,
  });
}

export function accepted(answer: Answer): KubeObject {
  assert.ok(answer.status < 300, JSON.stringify(answer.body).slice(0, 2000));
  return answer.body as KubeObject;
}

export function assertRefused(answer: Answer, says: string): void {
  assert.equal(answer.status, 422, JSON.stringify(answer.body));
  const message = String(Reflect.get(Object(answer.body), 'message'));
  assert.ok(message.includes(says), message);
}

/** Everything of `part` stands in `whole`; lists have the same length. */
export function assertContains(whole: unknown, part: unknown, path: string): void {
  if (typeof part !== 'object' || part === null) {
    assert.deepEqual(whole, part, path);
    return;
  }
  assert.ok(typeof whole === 'object' && whole !== null, path);
  if (Array.isArray(part)) assert.equal(Reflect.get(whole, 'length'), part.length, path);
  for (const [key, value] of Object.entries(part))
    assertContains(Reflect.get(whole, key), value, `${path}.${key}`);
}
