/** Files of Go modules that are applied or given as they are: CRDs and KWOK's stages, kept in the cache so that a warm start needs neither Go nor a network. */
import { cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { BuildOptions } from './build.ts';
import { cacheFolder } from './environment.ts';
import { downloadModule } from './go-build.ts';
import { withLock } from './lock.ts';
import { manifestModules } from './versions.ts';

/** YAML files of the Gateway API's experimental channel (HTTPRoute, GRPCRoute and all others). */
export async function gatewayApiCrds(options: BuildOptions = {}): Promise<readonly string[]> {
  return await yamlFiles(await moduleFolder('gatewayApi', 'config/crd/experimental', options));
}

export async function contourCrds(options: BuildOptions = {}): Promise<readonly string[]> {
  const folder = await moduleFolder('contour', 'examples/contour', options);
  return [join(folder, '01-crds.yaml')];
}

/** Application, ApplicationSet and AppProject. */
export async function argocdCrds(options: BuildOptions = {}): Promise<readonly string[]> {
  return await yamlFiles(await moduleFolder('argocd', 'manifests/crds', options));
}

/** ServiceMonitor and PrometheusRule, the kinds that charts of others make. */
export async function prometheusOperatorCrds(
  options: BuildOptions = {},
): Promise<readonly string[]> {
  const path = 'example/prometheus-operator-crd';
  const folder = await moduleFolder('prometheusOperator', path, options);
  return ['servicemonitors', 'prometheusrules'].map((name) =>
    join(folder, `monitoring.coreos.com_${name}.yaml`),
  );
}

/** KWOK's stages: nodes and pods that are ready at once. */
export async function kwokStages(options: BuildOptions = {}): Promise<readonly string[]> {
  const folder = await moduleFolder('kwok', 'kustomize/stage', options);
  const files = [
    'node/fast/node-initialize.yaml',
    'pod/fast/pod-ready.yaml',
    'pod/fast/pod-complete.yaml',
    'pod/fast/pod-delete.yaml',
  ];
  return files.map((file) => join(folder, file));
}

async function moduleFolder(
  name: keyof typeof manifestModules,
  path: string,
  options: BuildOptions,
): Promise<string> {
  const { module, version } = manifestModules[name];
  const folder = join(cacheFolder(), 'manifests', `${name}-${version}`, path);
  if (await exists(folder)) return folder;
  await withLock(join(cacheFolder(), 'lock', 'manifests'), async () => {
    if (await exists(folder)) return;
    const { folder: source } = await downloadModule(module, version, options);
    const partial = `${folder}.partial-${process.pid}`;
    await mkdir(dirname(folder), { recursive: true });
    try {
      await cp(join(source, path), partial, { recursive: true });
      await rename(partial, folder);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  });
  return folder;
}

async function yamlFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    .sort()
    .map((name) => join(folder, name));
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
