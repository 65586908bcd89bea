/** The commands of the testbed with a whole node: they run again inside its namespace, and doors lead back to a person's shell. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ClusterFlags } from '#scripts/testbed/arguments.ts';
import { type BuildOptions, toolPath } from '#scripts/testbed/build.ts';
import { openInnerDoors, openOuterDoors } from '#scripts/testbed/doors.ts';
import { gatewayApiCrds } from '#scripts/testbed/manifests.ts';
import { runInNamespace } from '#scripts/testbed/namespace.ts';
import type { Session } from '#scripts/testbed/session.ts';
import { prepareNode } from './node.ts';

const needed = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kubectl',
  'prometheus',
  'promtool',
] as const;
const exportsFile = 'exports';
const pollEveryMs = 100;

/** Runs this very command again inside: there nothing can be fetched, so all is made ready before. */
export async function again(
  flags: ClusterFlags,
  options: BuildOptions,
  ...more: readonly string[]
): Promise<number> {
  await prepareNode(options);
  for (const name of needed) await toolPath(name, options);
  if (flags.gatewayApi) await gatewayApiCrds(options);
  const command = [process.execPath, ...process.argv.slice(1), ...more];
  return await runInNamespace(command, { node: true });
}

/** @param ready called with what a person's shell needs once the node is Ready */
export async function againWithDoors(
  flags: ClusterFlags,
  options: BuildOptions,
  ready: (exports: string) => Promise<void>,
): Promise<number> {
  const doors = await openOuterDoors();
  const ended = new AbortController();
  const waiting = untilExported(doors.folder, ended.signal).then(async (text) =>
    text === undefined ? undefined : await ready(text),
  );
  try {
    return await again(flags, options, '--doors', doors.folder);
  } finally {
    ended.abort();
    await waiting;
    await doors.close();
  }
}

/** Inside: connects the doors with what runs here, and tells outside. Resolves with what closes them. */
export async function openDoors(folder: string, session: Session): Promise<() => Promise<void>> {
  const { KUBECONFIG: kubeconfigPath = '', PROMETHEUS_URL: prometheusUrl } = session.variables;
  const doors = await openInnerDoors(folder, {
    kubeconfigPath,
    apiServerUrl: session.apiServerUrl,
    prometheusUrl,
    gatewayUrl: undefined,
  });
  const variables = {
    ...session.variables,
    KUBECONFIG: doors.kubeconfigPath,
    ...(prometheusUrl === undefined ? {} : { PROMETHEUS_URL: doors.prometheusUrl }),
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${value}`);
  const file = join(folder, exportsFile);
  await writeFile(`${file}.partial`, lines.join('\n'));
  await rename(`${file}.partial`, file);
  return async () => await doors.close();
}

async function untilExported(folder: string, signal: AbortSignal): Promise<string | undefined> {
  while (!signal.aborted) {
    const text = await readFile(join(folder, exportsFile), 'utf8').catch(() => undefined);
    if (text !== undefined) return text;
    await sleep(pollEveryMs);
  }
  return undefined;
}
