/** The real controller, as a process of its own: `node dist/controller.mjs`, with no other access than a kubeconfig. */
import { access, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { run } from '#scripts/testbed/command.ts';
import { type Part, startPart, withFreePorts } from '#scripts/testbed/index.ts';

export interface ControllerOptions {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly prometheusUrl: string;
  readonly runFolder: string;
  /** Default: one for each start. */
  readonly ports?: { readonly metrics: number; readonly health: number };
  readonly flags?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface ControllerProcess extends Part {
  readonly metricsUrl: string;
}

const root = join(import.meta.dirname, '../..');
const bundle = join(root, 'dist/controller.mjs');
const readyWithinMs = 20_000;

/** Bundles the controller from the source tree if the tree has changed since the last time. */
export async function buildController(signal?: AbortSignal): Promise<void> {
  if (await isFresh()) return;
  await run(process.execPath, [join(root, 'scripts/build.ts')], {
    cwd: root,
    ...(signal === undefined ? {} : { signal }),
  });
  await access(bundle);
}

async function isFresh(): Promise<boolean> {
  const madeAt = await modifiedAt(bundle);
  if (madeAt === undefined) return false;
  const sources = await readdir(join(root, 'src'), { recursive: true });
  const files = [
    ...sources.map((name) => join('src', name)),
    'package-lock.json',
    'scripts/build.ts',
  ];
  const changedAt = await Promise.all(
    files.map(async (file) => await modifiedAt(join(root, file))),
  );
  return changedAt.every((at) => at !== undefined && at < madeAt);
}

async function modifiedAt(file: string): Promise<number | undefined> {
  return await stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

/** Resolves when it says that it is ready. */
export async function startController(options: ControllerOptions): Promise<ControllerProcess> {
  if (options.ports !== undefined) return await start(options, options.ports);
  return await withFreePorts(
    2,
    async ([metrics = 0, health = 0]) => await start(options, { metrics, health }),
  );
}

async function start(
  options: ControllerOptions,
  ports: { readonly metrics: number; readonly health: number },
): Promise<ControllerProcess> {
  const part = await startPart({
    name: 'controller',
    command: process.execPath,
    args: [
      bundle,
      `--kubeconfig=${options.kubeconfig}`,
      `--namespace=${options.namespace}`,
      `--prometheus-url=${options.prometheusUrl}`,
      `--metrics-address=127.0.0.1:${ports.metrics}`,
      `--health-address=127.0.0.1:${ports.health}`,
      ...(options.flags ?? []),
    ],
    runFolder: options.runFolder,
    isReady: async (signal) =>
      (await fetch(`http://127.0.0.1:${ports.health}/readyz`, { signal })).ok,
    readyWithinMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { ...part, metricsUrl: `http://127.0.0.1:${ports.metrics}/metrics` };
}

/** The newest reading of each trigger, as the controller itself exports it. Empty while it cannot be asked. */
export async function triggerValues(metricsUrl: string): Promise<ReadonlyMap<string, number>> {
  const text = await fetch(metricsUrl, { signal: AbortSignal.timeout(1_000) }).then(
    async (response) => await response.text(),
    () => '',
  );
  const pattern = /^genesis_trigger_value\{.*?trigger="([^"]+)".*?\} (\S+)$/gm;
  return new Map(
    [...text.matchAll(pattern)].map(([, name = '', value = '']) => [name, Number(value)]),
  );
}
