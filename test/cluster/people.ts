/** People on the real API server: what a Role lets them do, and requests in their names. */
import { readFile } from 'node:fs/promises';
import { ApiClient, type ControlPlane, type KubeObject } from '#scripts/testbed/index.ts';

/** One request with whatever answer. */
export async function asUser(
  { url, caFile, tokens }: ControlPlane,
  user: string,
  path: string,
  body: object,
) {
  const ca = await readFile(caFile, 'utf8');
  const client = new ApiClient({ url, ca, token: tokens[user] ?? '' });
  try {
    return await client.send('POST', path, { body });
  } finally {
    await client.close();
  }
}

/** A Role and its binding to these people. */
export function roleFor(
  namespace: string,
  name: string,
  rules: readonly object[],
  people: readonly string[],
): KubeObject[] {
  const rbac = 'rbac.authorization.k8s.io';
  const subjects = people.map((person) => ({ kind: 'User', name: person, apiGroup: rbac }));
  return [
    { apiVersion: `${rbac}/v1`, kind: 'Role', metadata: { name, namespace }, rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: rbac, kind: 'Role', name },
      subjects,
    },
  ];
}

/** What the API server says to a request that it refuses. */
export function messageOf(body: unknown): string {
  return typeof body === 'object' && body !== null ? String(Reflect.get(body, 'message')) : '';
}

export function nameOf(body: unknown): string {
  const metadata: unknown =
    typeof body === 'object' && body !== null ? Reflect.get(body, 'metadata') : undefined;
  return typeof metadata === 'object' && metadata !== null
    ? String(Reflect.get(metadata, 'name'))
    : '';
}

export function statusFieldOf(object: KubeObject | undefined, field: string): string {
  const status = object?.['status'];
  const value: unknown =
    typeof status === 'object' && status !== null ? Reflect.get(status, field) : undefined;
  return typeof value === 'string' ? value : '';
}
