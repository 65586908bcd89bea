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

export function isInNamespace(): boolean {
  return namespaceMark() !== undefined;
}

/**
 * Runs a command inside a new namespace with this terminal, and resolves with its exit code. Usually the command is the
 * caller itself: `[process.execPath, ...process.argv.slice(1)]`. What must be downloaded is downloaded before: inside there
 * is no way out.
 */
export async function runInNamespace(command: readonly string[]): Promise<number> {
  await checkNamespace();
  const setUp = 'ip link set lo up && ip route add default dev lo && exec "$@"';
  // `setpriv` comes after `unshare`: a change of credentials may clear the signal.
  const inner = ['setpriv', '--pdeathsig', 'TERM', 'sh', '-c', setUp, 'sh', ...command];
  const child = spawn('unshare', [...unshareFlags(), '--', ...inner], {
    stdio: 'inherit',
    env: childEnvironment({ [namespaceVariable]: '1' }),
  });
  const forward = (signal: NodeJS.Signals) => {
    // Ctrl-C on a terminal reaches the command by itself.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
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
