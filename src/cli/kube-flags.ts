/** kubectl's own flags, and the client that they lead to. */
import { parseDuration } from '#api/duration-text.ts';
import { KubeconfigProblem } from '#kube/kubeconfig-problem.ts';
import type { KubectlClient } from '#kube/kubectl-client.ts';
import { BadInput, Failure, type FlagTable, type Terminal } from './command.ts';
import { failureOf } from './trouble.ts';

export const kubeFlags = {
  namespace: {
    type: 'string',
    short: 'n',
    operand: 'NAME',
    what: "the namespace; default: the context's",
  },
  kubeconfig: { type: 'string', operand: 'FILE', what: 'this kubeconfig and no other' },
  context: { type: 'string', operand: 'NAME', what: 'this context of the kubeconfig' },
  cluster: { type: 'string', operand: 'NAME', what: 'this cluster of the kubeconfig' },
  user: { type: 'string', operand: 'NAME', what: 'this user of the kubeconfig' },
  server: { type: 'string', short: 's', operand: 'URL', what: 'the API server' },
  token: { type: 'string', operand: 'TOKEN', what: 'who one is, by bearer token' },
  as: { type: 'string', operand: 'USER', what: 'impersonate this user' },
  'as-group': {
    type: 'string',
    multiple: true,
    operand: 'GROUP',
    what: 'impersonate this group; may be repeated',
  },
  'certificate-authority': { type: 'string', operand: 'FILE', what: 'whom to trust' },
  'client-certificate': { type: 'string', operand: 'FILE', what: 'who one is, by certificate' },
  'client-key': { type: 'string', operand: 'FILE', what: 'its key' },
  'tls-server-name': {
    type: 'string',
    operand: 'NAME',
    what: "the name in the server's certificate",
  },
  'insecure-skip-tls-verify': { type: 'boolean', what: 'trust any server' },
  'request-timeout': {
    type: 'string',
    operand: 'DURATION',
    what: 'for each request, such as 30s; 0 is none; default: 15s',
  },
} as const satisfies FlagTable;

type KubeValues = {
  readonly [F in keyof typeof kubeFlags]?: (typeof kubeFlags)[F] extends { multiple: true }
    ? string[] | undefined
    : (typeof kubeFlags)[F] extends { type: 'boolean' }
      ? boolean | undefined
      : string | undefined;
};

/** Opens a client, hands it to the work and closes it. Whatever a request fails with becomes a Failure. */
export async function withClient<T>(
  values: KubeValues,
  terminal: Terminal,
  work: (client: KubectlClient) => Promise<T>,
): Promise<T> {
  const client = await open(values, terminal);
  try {
    return await work(client);
  } catch (error) {
    throw failureOf(error, client.server, terminal.interrupted);
  } finally {
    await client.close();
  }
}

/** The same for work that may need no cluster at all: the client is opened when it is first asked for. */
export async function withLazyClient<T>(
  values: KubeValues,
  terminal: Terminal,
  work: (client: () => Promise<KubectlClient>) => Promise<T>,
): Promise<T> {
  let opening: Promise<KubectlClient> | undefined;
  const client = (): Promise<KubectlClient> => {
    opening ??= open(values, terminal);
    return opening;
  };
  try {
    return await work(client);
  } catch (error) {
    const server = (await opened(opening))?.server ?? '';
    throw failureOf(error, server, terminal.interrupted);
  } finally {
    await (await opened(opening))?.close();
  }
}

/** Undefined where none was asked for, and where it could not be opened, of which whoever asked has heard. */
async function opened(
  opening: Promise<KubectlClient> | undefined,
): Promise<KubectlClient | undefined> {
  try {
    return await opening;
  } catch {
    return undefined;
  }
}

async function open(values: KubeValues, terminal: Terminal): Promise<KubectlClient> {
  const flags = {
    kubeconfig: values.kubeconfig,
    context: values.context,
    cluster: values.cluster,
    user: values.user,
    namespace: values.namespace,
    server: serverOf(values.server),
    token: values.token,
    as: values.as,
    asGroups: values['as-group'],
    certificateAuthority: values['certificate-authority'],
    clientCertificate: values['client-certificate'],
    clientKey: values['client-key'],
    tlsServerName: values['tls-server-name'],
    skipTlsVerify: values['insecure-skip-tls-verify'],
  };
  if (flags.asGroups !== undefined && flags.as === undefined) {
    throw new BadInput(['--as-group needs --as: a group is impersonated along with a user']);
  }
  const requestTimeoutMs = timeoutOf(values['request-timeout']);
  try {
    return await terminal.connect({ flags, requestTimeoutMs });
  } catch (error) {
    if (error instanceof KubeconfigProblem) throw new BadInput([error.message]);
    throw error instanceof Failure
      ? error
      : failureOf(error, flags.server ?? '', terminal.interrupted);
  }
}

function serverOf(server: string | undefined): string | undefined {
  if (server === undefined || /^https?:\/\//.test(server)) return server;
  // As kubectl: a bare host is taken for http.
  return `http://${server}`;
}

function timeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = durationOf('--request-timeout', /^[0-9]+$/.test(text) ? `${text}s` : text);
  return ms === 0 ? Number.POSITIVE_INFINITY : ms;
}

/** Milliseconds of a flag's duration. */
export function durationOf(flag: string, text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw new BadInput([
      `${flag} ${JSON.stringify(text)} is not a duration such as 30s, 5m or 1h30m`,
    ]);
  }
}

/** The flags that lead to the same place again, for commands that the output proposes: ` -n shop`. */
export function whereText(values: KubeValues): string {
  const kept = ['kubeconfig', 'context', 'cluster', 'user'] as const;
  const named = kept.flatMap((flag) => {
    const value = values[flag];
    return value === undefined ? [] : [` --${flag} ${value}`];
  });
  return `${values.namespace === undefined ? '' : ` -n ${values.namespace}`}${named.join('')}`;
}
