/**
 * A network namespace of one's own, in which addresses such as 192.0.2.21 belong to local processes: the API server takes no
 * loopback address as an endpoint. The whole program runs again inside, so ordinary child processes are inside too, and
 * nothing is left when the last of them ends.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

import { run } from './command.ts';
import { childEnvironment, namespaceMark, namespaceVariable } from './environment.ts';
import { childrenOf } from './process-table.ts';

export function isInNamespace(): boolean {
  return namespaceMark() !== undefined;
}

/** Whether processes and mounts are its own too, as a whole node's must be. */
export function isInNodeNamespace(): boolean {
  return outerPid() !== undefined;
}

/** The process outside that lives as long as a node's namespace: ids of processes inside mean nothing to others. */
export function outerPid(): number | undefined {
  const [, digits] = /^node:(\d+)$/.exec(namespaceMark() ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}

export interface NamespaceOptions {
  /**
   * Processes and mounts of its own as well: containers outlive the programs that started them, but not the first process
   * of their namespace. Only root may.
   */
  readonly node?: boolean;
}

/** Where containers, kubelets and their networks leave files whatever they are told: empty, and gone with the namespace. */
const ownFolders = ['/run', '/var/lib/cni', '/var/log/containers'];

export interface NamespaceLaunch {
  /** Stands before a command to run it inside. */
  readonly command: readonly string[];
  /** For the command's environment. */
  readonly variables: Readonly<Record<string, string>>;
}

export function namespaceLaunch({ node = false }: NamespaceOptions = {}): NamespaceLaunch {
  const setUp = [
    'ip link set lo up',
    'ip route add default dev lo',
    ...(node ? nodeSetUp() : []),
    node ? `{ ${asFirstProcess} }` : 'exec "$@"',
  ].join(' && ');
  const shell = ['sh', '-c', setUp, 'sh'];
  return {
    command: node
      ? [
          'setpriv',
          '--pdeathsig',
          'KILL',
          'unshare',
          ...nodeFlags,
          ...unshareFlags(),
          '--',
          ...shell,
        ]
      : // `setpriv` comes after `unshare`: a change of credentials may clear the signal.
        ['unshare', ...unshareFlags(), '--', 'setpriv', '--pdeathsig', 'TERM', ...shell],
    variables: { [namespaceVariable]: node ? `node:${process.pid}` : '1' },
  };
}

/**
 * Runs a command inside a new namespace with this terminal, and resolves with its exit code. Usually the command is the
 * caller itself: `[process.execPath, ...process.argv.slice(1)]`. What must be downloaded is downloaded before: inside there
 * is no way out.
 */
export async function runInNamespace(
  command: readonly string[],
  { node = false }: NamespaceOptions = {},
): Promise<number> {
  await checkNamespace();
  const launch = namespaceLaunch({ node });
  const [program = '', ...args] = [...launch.command, ...command];
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: childEnvironment(launch.variables),
  });
  const forward = (signal: NodeJS.Signals) => {
    // Ctrl-C on a terminal reaches the command by itself.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    if (node) void signalCommand(child.pid, signal);
    else child.kill(signal);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, forward);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return signal === null ? (code ?? 1) : 128 + constants.signals[signal];
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}

/** The first process of the namespace ends with `unshare`, and with it the kernel ends all others. */
const nodeFlags = ['--pid', '--fork', '--kill-child', '--mount-proc'];

/**
 * The first process inherits all orphans, and the shell waits for them too. Its own signals are for the command: Ctrl-C
 * reaches that by itself, others are sent to it. In the background it would have no input and be deaf to Ctrl-C.
 */
const asFirstProcess = [
  'exec 3<&0; trap : INT TERM HUP',
  'env --default-signal=INT,QUIT "$@" <&3 3<&- & command=$!; exec 3<&-',
  'while :; do wait $command; code=$?; kill -0 $command 2>/dev/null || exit $code; done;',
].join('; ');

function nodeSetUp(): readonly string[] {
  return [
    // Containers see mounts that are made later, as on any node.
    'mount --make-rshared /',
    ...ownFolders.map((folder) => `mkdir -p ${folder} && mount -t tmpfs tmpfs ${folder}`),
  ];
}

/** `unshare` and the first process wait for the command, which is the oldest child of the first process. */
async function signalCommand(unshare: number | undefined, signal: NodeJS.Signals): Promise<void> {
  const [first] = await childrenOf(unshare ?? 0);
  const [command] = await childrenOf(first ?? 0);
  if (command !== undefined) process.kill(command, signal);
}

/** Says what is missing before anything is started. */
async function checkNamespace(): Promise<void> {
  const needs =
    'the gateway runs in a network namespace, for which the testbed needs `unshare` (util-linux) and `ip` (iproute2)';
  for (const [tool, flag] of [
    ['unshare', '--version'],
    ['ip', '-V'],
  ] as const) {
    await run(tool, [flag]).catch((error: unknown) => {
      throw new Error(`${needs}: ${tool} is not there`, { cause: error });
    });
  }
  await run('unshare', [...unshareFlags(), 'ip', 'link', 'set', 'lo', 'up']).catch(
    (error: unknown) => {
      const said = error instanceof Error ? error.message : String(error);
      throw new Error(
        `${needs}, and this system does not allow one here.\n${said}\nRun it as root; or, if you are not root, allow user ` +
          'namespaces (`sysctl kernel.unprivileged_userns_clone=1`, on Ubuntu `sysctl kernel.apparmor_restrict_unprivileged_userns=0`).',
        { cause: error },
      );
    },
  );
}

/** Who is not root is root in a user namespace of their own. */
function unshareFlags(): readonly string[] {
  return process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];
}

/** Makes an address local, for instance 192.0.2.21. Only inside; an address that is there already stays. */
export async function addAddress(address: string): Promise<void> {
  if (!isInNamespace()) {
    throw new Error(
      `${address} may be added only inside a namespace: start the program with runInNamespace`,
    );
  }
  await run('ip', ['address', 'replace', `${address}/32`, 'dev', 'lo']);
}
