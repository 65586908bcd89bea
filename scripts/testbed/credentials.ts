/** Who may talk to the API server: static users with tokens, the key of ServiceAccount tokens, and kubeconfig files. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { stringify } from 'yaml';

export interface TestbedUser {
  readonly name: string;
  readonly groups?: readonly string[];
}

/** `admin` may do everything; the parts of the testbed have names of their own, so that an audit log tells them apart. */
const ownUsers: readonly TestbedUser[] = [
  'admin',
  'testbed-controller-manager',
  'testbed-kwok',
  'testbed-contour',
  'testbed-coredns',
  'testbed-kubelet',
  'testbed-kube-proxy',
  'testbed-kube-scheduler',
].map((name) => ({ name, groups: ['system:masters'] }));

export interface Credentials {
  /** By user name. */
  readonly tokens: Readonly<Record<string, string>>;
  readonly tokenFile: string;
  readonly serviceAccountKeyFile: string;
}

export async function createCredentials(
  folder: string,
  users: readonly TestbedUser[],
): Promise<Credentials> {
  const tokens: Record<string, string> = {};
  const rows = [...ownUsers, ...users].map(({ name, groups = [] }) => {
    if (tokens[name] !== undefined)
      throw new Error(`the user ${name} is named twice; the testbed itself has ${ownNames()}`);
    tokens[name] = randomBytes(16).toString('hex');
    return `${tokens[name]},${name},${name},"${groups.join(',')}"`;
  });
  const tokenFile = join(folder, 'tokens.csv');
  const serviceAccountKeyFile = join(folder, 'service-account.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(tokenFile, `${rows.join('\n')}\n`, { mode: 0o600 });
  await writeFile(serviceAccountKeyFile, privateKey.export({ type: 'sec1', format: 'pem' }), {
    mode: 0o600,
  });
  return { tokens, tokenFile, serviceAccountKeyFile };
}

function ownNames(): string {
  return ownUsers.map(({ name }) => name).join(', ');
}

export interface KubeconfigParts {
  readonly file: string;
  readonly url: string;
  readonly caFile: string;
  readonly user: string;
  readonly token: string;
  readonly namespace?: string;
}

/** Writes a kubeconfig with everything inside, so that the file may be copied. */
export async function writeKubeconfig(parts: KubeconfigParts): Promise<string> {
  const { file, url, caFile, user, token, namespace = 'default' } = parts;
  const authority = (await readFile(caFile)).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'testbed', cluster: { server: url, 'certificate-authority-data': authority } },
    ],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'testbed', context: { cluster: 'testbed', user, namespace } }],
    'current-context': 'testbed',
  };
  await writeFile(file, stringify(config), { mode: 0o600 });
  return file;
}
