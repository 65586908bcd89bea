/**
 * What the bundles are made from, as CycloneDX 1.5, from the lock file: npm makes it, and what differs from run to run is
 * taken out. npm's own `--omit=dev` leaves out what a development dependency needs too, so that is done here, by the lock file.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);

const billSchema = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.looseObject({
    component: z.looseObject({ 'bom-ref': z.string(), name: z.string() }),
  }),
  components: z.array(
    z.looseObject({ 'bom-ref': z.string(), name: z.string(), version: z.string() }),
  ),
  dependencies: z.array(
    z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).default([]) }),
  ),
});

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({ version: z.string().optional(), dev: z.boolean().default(false) }),
  ),
});

export type BillOfMaterials = z.infer<typeof billSchema>;

export async function billOfMaterials(root: string, version: string): Promise<BillOfMaterials> {
  const args = ['sbom', '--package-lock-only', '--sbom-format=cyclonedx'];
  const { stdout } = await run('npm', args, { cwd: root, maxBuffer: 2 ** 26 });
  const { serialNumber: _number, ...bill } = billSchema.parse(JSON.parse(stdout));
  const { timestamp: _timestamp, ...metadata } = bill.metadata;
  // npm calls the root after its folder.
  const component = { ...metadata.component, name: 'genesis-rollout', version };
  const needed = await neededPackages(root);
  const components = bill.components.filter((one) => needed.has(`${one.name}@${one.version}`));
  const refs = new Set([component['bom-ref'], ...components.map((one) => one['bom-ref'])]);
  const dependencies = bill.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map((one) => ({ ...one, dependsOn: one.dependsOn.filter((ref) => refs.has(ref)) }));
  return { ...bill, metadata: { ...metadata, component }, components, dependencies };
}

/** As `name@version`. */
async function neededPackages(root: string): Promise<ReadonlySet<string>> {
  const { packages } = lockSchema.parse(
    JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')),
  );
  const entries = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
  return new Set(
    entries.map(([path, { version }]) => `${path.replace(/^.*node_modules\//, '')}@${version}`),
  );
}
