/** What the bundles are made from, as CycloneDX 1.5, from the lock file: npm makes it, and what differs from run to run is taken out. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);

const billSchema = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  metadata: z.looseObject({ component: z.looseObject({ name: z.string() }) }),
  components: z.array(z.looseObject({ name: z.string(), version: z.string() })),
});

export type BillOfMaterials = z.infer<typeof billSchema>;

export async function billOfMaterials(root: string, version: string): Promise<BillOfMaterials> {
  const args = ['sbom', '--package-lock-only', '--omit=dev', '--sbom-format=cyclonedx'];
  const { stdout } = await run('npm', args, { cwd: root, maxBuffer: 2 ** 26 });
  const { serialNumber: _number, ...bill } = billSchema.parse(JSON.parse(stdout));
  const { timestamp: _timestamp, ...metadata } = bill.metadata;
  // npm calls the root after its folder.
  const component = { ...metadata.component, name: 'genesis-rollout', version };
  return { ...bill, metadata: { ...metadata, component } };
}
