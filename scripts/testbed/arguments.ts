/** Reads the command line of `npm run testbed`; what is wrong with it is said in one sentence. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

import { type ToolName, tools } from './versions.ts';

export interface ClusterFlags {
  /** An existing cluster in place of a control plane of our own. */
  readonly kubeconfig: string | undefined;
  readonly crds: readonly string[];
  readonly gatewayApi: boolean;
  readonly audit: boolean;
  readonly kwok: boolean;
  /** A whole node with containers, in place of KWOK's. */
  readonly node: boolean;
  /** Archives for the node. */
  readonly images: readonly string[];
  /** Inside a node's namespace: the folder of the doors that lead out. */
  readonly doors: string | undefined;
  readonly prometheus: boolean;
  /** `job=host:port`. */
  readonly scrape: readonly { readonly job: string; readonly target: string }[];
}

export type Invocation =
  | { readonly type: 'help' }
  | { readonly type: 'build'; readonly tools: readonly ToolName[] }
  | {
      readonly type: 'up';
      readonly detach: boolean;
      readonly cluster: ClusterFlags;
      readonly rest: readonly string[];
    }
  | { readonly type: 'down' }
  | { readonly type: 'exec'; readonly command: readonly string[]; readonly cluster: ClusterFlags };

export const usage = `Usage: npm run testbed -- COMMAND

  up [flags]          starts a cluster and Prometheus, and keeps them until Ctrl-C
  up --detach         the same in the background
  down                stops what \`up\` started
  exec [flags] CMD    starts everything, runs CMD with KUBECONFIG and PROMETHEUS_URL, stops everything, ends as CMD did
  build [TOOL...]     only builds the tools (${Object.keys(tools).join(', ')})

Flags of up and exec:
  --kubeconfig FILE       uses this existing cluster instead of starting one
  --crds PATH             applies a file or a folder of YAML; may be repeated
  --gateway-api           applies the Gateway API's CRDs (experimental channel)
  --audit                 writes an audit log at level Metadata
  --scrape JOB=HOST:PORT  lets Prometheus scrape this target every second; may be repeated
  --no-kwok               no node: pods stay Pending
  --node                  a whole node: kubelet, containerd and kube-proxy, real containers; needs root
  --image FILE            gives the whole node an image, as \`docker save\` writes them; may be repeated
  --no-prometheus         no Prometheus
`;

/** A mistake of the person at the shell: shown without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const clusterOptions = {
  kubeconfig: { type: 'string' },
  crds: { type: 'string', multiple: true },
  'gateway-api': { type: 'boolean' },
  audit: { type: 'boolean' },
  scrape: { type: 'string', multiple: true },
  'no-kwok': { type: 'boolean' },
  node: { type: 'boolean' },
  image: { type: 'string', multiple: true },
  // From ourselves to ourselves.
  doors: { type: 'string' },
  'no-prometheus': { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

const upOptions = {
  ...clusterOptions,
  detach: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

export function parseInvocation(args: readonly string[]): Invocation {
  const [command, ...rest] = args;
  switch (command) {
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      return { type: 'help' };
    case 'build':
      return { type: 'build', tools: parseTools(rest) };
    case 'up':
      return parseUp(rest);
    case 'down':
      if (rest.length > 0)
        throw new UsageError(`down takes nothing more, but was given ${rest.join(' ')}`);
      return { type: 'down' };
    case 'exec':
      return parseExec(rest);
    default:
      throw new UsageError(
        `there is no command ${command}; there are up, down, exec, build and help`,
      );
  }
}

function parseTools(names: readonly string[]): readonly ToolName[] {
  const known = Object.keys(tools) as ToolName[];
  if (names.length === 0) return known;
  return names.map((name) => {
    const tool = known.find((candidate) => candidate === name);
    if (tool === undefined)
      throw new UsageError(`there is no tool ${name}; there are ${known.join(', ')}`);
    return tool;
  });
}

function parseUp(args: readonly string[]): Invocation {
  const { values, positionals } = parse(args, upOptions);
  if (positionals.length > 0) {
    throw new UsageError(
      `up takes only flags, but was given ${positionals.join(' ')}; to run a command use exec`,
    );
  }
  const rest = args.filter((arg) => arg !== '--detach');
  return { type: 'up', detach: values.detach === true, cluster: clusterFlags(values), rest };
}

/** Our flags end where CMD begins; its own flags are its own. */
function parseExec(args: readonly string[]): Invocation {
  let index = 0;
  while (index < args.length && args[index]?.startsWith('--') === true && args[index] !== '--') {
    const arg = args[index]?.slice(2) ?? '';
    const option = Object.entries(clusterOptions).find(([name]) => name === arg)?.[1];
    index += option?.type === 'string' ? 2 : 1;
  }
  const command = args.slice(args[index] === '--' ? index + 1 : index);
  if (command.length === 0)
    throw new UsageError('exec needs a command to run, such as `exec kubectl get nodes`');
  const { values } = parse(args.slice(0, index), clusterOptions);
  return { type: 'exec', command, cluster: clusterFlags(values) };
}

function parse<const T extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  options: T,
) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    const flags = Object.keys(options).map((name) => `--${name}`);
    const said = error instanceof Error ? (error.message.split('.')[0] ?? '') : String(error);
    throw new UsageError(`${said}; the flags are ${flags.join(', ')}`, { cause: error });
  }
}

type ClusterValues = ReturnType<typeof parse<typeof clusterOptions>>['values'];

function clusterFlags(values: ClusterValues): ClusterFlags {
  const { kubeconfig, node = false, image: images = [] } = values;
  if (node && kubeconfig !== undefined) {
    throw new UsageError(
      '--node starts a cluster with a node, and --kubeconfig takes an existing one',
    );
  }
  if (!node && images.length > 0) {
    throw new UsageError('--image is for a whole node: add --node');
  }
  return {
    node,
    images,
    doors: values.doors,
    kubeconfig,
    crds: values.crds ?? [],
    gatewayApi: values['gateway-api'] === true,
    audit: values.audit === true,
    kwok: values['no-kwok'] !== true && !node,
    prometheus: values['no-prometheus'] !== true,
    scrape: (values.scrape ?? []).map((text) => {
      const [, job, target] = /^([^=]+)=([^=]+:\d+)$/.exec(text) ?? [];
      if (job === undefined || target === undefined) {
        throw new UsageError(
          `--scrape ${text} is not of the form JOB=HOST:PORT, such as --scrape shop=127.0.0.1:9100`,
        );
      }
      return { job, target };
    }),
  };
}
