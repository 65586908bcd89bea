/** What Argo CD and Flux are taught about our kinds, from the files that people are told to use. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { blocksOf, root } from './guide.ts';
import type { Teaching } from './judge.ts';

export async function readTeaching(): Promise<Teaching> {
  const [configMap, blocks] = await Promise.all([
    readFile(join(root, 'deploy/argocd/argocd-cm.yaml'), 'utf8'),
    blocksOf('docs/gitops-flux.md', 'yaml'),
  ]);
  const { data } = parse(configMap) as { data: Record<string, string> };
  const kustomization = blocks.find((block) => block.includes('healthCheckExprs:')) ?? '';
  const { spec } = parse(kustomization) as { spec: { healthCheckExprs: object[] } };
  return { argocdCm: data, healthCheckExprs: spec.healthCheckExprs };
}
