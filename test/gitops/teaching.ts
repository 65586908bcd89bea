/** What Argo CD and Flux are taught about our kinds, from the files that people are told to use. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Teaching } from './judge.ts';

const root = join(import.meta.dirname, '..', '..');

export async function readTeaching(): Promise<Teaching> {
  const [configMap, guide] = await Promise.all([
    readFile(join(root, 'deploy/argocd/argocd-cm.yaml'), 'utf8'),
    readFile(join(root, 'docs/gitops-flux.md'), 'utf8'),
  ]);
  const { data } = parse(configMap) as { data: Record<string, string> };
  return { argocdCm: data, healthCheckExprs: checksIn(guide) };
}

/** The block of the guide that has `healthCheckExprs`. */
function checksIn(guide: string): readonly object[] {
  const blocks = [...guide.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);
  const text = blocks.find((block) => block.includes('healthCheckExprs:'));
  if (text === undefined) throw new Error('docs/gitops-flux.md has no block with healthCheckExprs');
  const { spec } = parse(text) as { spec: { healthCheckExprs: object[] } };
  return spec.healthCheckExprs;
}
