/** The testbed's only reader of process.env: what the caller's shell says about places and ready-made binaries. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Builds live outside the tree, so that they survive checkouts. */
export function cacheFolder(): string {
  return join(
    absolute(process.env['XDG_CACHE_HOME']) ?? join(homedir(), '.cache'),
    'genesis-rollout',
  );
}

/** Where it is noted what `up` has started. */
export function stateFolder(): string {
  return join(
    absolute(process.env['XDG_STATE_HOME']) ?? join(homedir(), '.local', 'state'),
    'genesis-rollout',
  );
}

/** The XDG specification has relative paths ignored. */
function absolute(folder: string | undefined): string | undefined {
  return folder?.startsWith('/') === true ? folder : undefined;
}

/** The folder with etcd, kube-apiserver and kubectl that setup-envtest and controller-runtime use, if the caller has one. */
export function kubebuilderAssets(): string | undefined {
  const folder = process.env['KUBEBUILDER_ASSETS'];
  return folder === undefined || folder === '' ? undefined : folder;
}

/** The caller's environment for a child, with changes on top; `undefined` removes a variable. */
export function childEnvironment(
  changes: Readonly<Record<string, string | undefined>>,
): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete environment[name];
    else environment[name] = value;
  }
  return environment;
}

export function searchPath(): string {
  return process.env['PATH'] ?? '';
}

/** Set for what runs inside the testbed's network namespace. */
export const namespaceVariable = 'GENESIS_TESTBED_NAMESPACE';

export function namespaceMark(): string | undefined {
  return process.env[namespaceVariable];
}
