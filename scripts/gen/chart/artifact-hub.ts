/** What Artifact Hub shows of the chart: its CRDs, examples of them, and what has changed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { apiVersion, crdNames, decisionResource, rolloutResource, version } from '#api/names.ts';

const root = join(import.meta.dirname, '../../..');

export const hubCrds = [
  {
    kind: rolloutResource.kind,
    version,
    name: crdNames.rollout,
    displayName: 'Rollout',
    description:
      'A schedule of traffic steps, what is watched meanwhile, and what follows from it.',
  },
  {
    kind: decisionResource.kind,
    version,
    name: crdNames.decision,
    displayName: 'Decision',
    description: 'What a person has decided about a rollout: an approval, a pause, an abort.',
  },
];

export function hubExamples(): readonly unknown[] {
  const rollout: unknown = parse(readFileSync(join(root, 'examples/smallest.yaml'), 'utf8'));
  const decision = {
    apiVersion,
    kind: decisionResource.kind,
    metadata: { name: 'hello-approve-full' },
    spec: {
      rollout: 'hello',
      revision: '2',
      decision: 'Approve',
      step: 'full',
      by: 'alice@example.com',
      reason: 'SLOs and dashboards looked at',
    },
  };
  return [rollout, decision];
}

interface Change {
  readonly kind: string;
  readonly description: string;
}

/** Of the newest version that CHANGELOG.md gives a number: its headings are the kinds that Artifact Hub knows. */
export function hubChanges(): readonly Change[] {
  const known = new Set(['added', 'changed', 'deprecated', 'removed', 'fixed', 'security']);
  const [, ...versions] = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split(/^## /m);
  const newest = versions.find((text) => !text.startsWith('Unreleased')) ?? '';
  return newest.split(/^### /m).flatMap((part) => {
    const [heading = '', ...lines] = part.split('\n');
    const kind = heading.trim().toLowerCase();
    if (!known.has(kind)) return [];
    // A line that is indented goes on with the entry before it.
    const entries = lines.join('\n').split(/^- /m).slice(1);
    return entries.map((text) => ({ kind, description: text.replaceAll(/\s+/g, ' ').trim() }));
  });
}
