/** `kubectl genesis render FILE…`: prints what the operator makes for a rollout, without a cluster. */
import { stringify } from 'yaml';
import {
  BadInput,
  type Command,
  type ExitCode,
  exitCodes,
  type FlagTable,
  type Terminal,
} from '#cli/command.ts';
import { oneOf, readFlags } from '#cli/flags.ts';
import { readRollouts } from '#cli/read-rollouts.ts';
import { defaultRunbookUrl, type ManifestKind } from '#dashboards/manifest.ts';
import { manifestKinds, manifestsOf } from '#dashboards/manifests.ts';
import type { KubeObject } from '#ports/cluster.ts';

const flags = {
  output: {
    type: 'string',
    short: 'o',
    operand: 'yaml|json',
    what: 'default: yaml',
  },
  only: {
    type: 'string',
    multiple: true,
    operand: 'KIND',
    what: `one of ${manifestKinds.join(', ')}; may be repeated`,
  },
  label: {
    type: 'string',
    short: 'l',
    multiple: true,
    operand: 'NAME=VALUE',
    what: 'a label for every object; may be repeated',
  },
  'runbook-url': {
    type: 'string',
    operand: 'URL',
    what: `where the runbooks stand; default: ${defaultRunbookUrl}`,
  },
} as const satisfies FlagTable;

export const renderCommand: Command = {
  spec: {
    operands: 'FILE… [flags]',
    about: [
      'A file may hold several documents; those that are no GenesisRollout are passed over.',
      'docs/dashboards-and-alerts.md says what is made, and what of it the operator makes by itself.',
    ],
    flags,
    isOnline: false,
    examples: [
      ['kubectl genesis render rollout.yaml', 'all that is made for a rollout'],
      [
        'kubectl genesis render rollout.yaml --only prometheusrule -l release=kube-prometheus-stack',
        'its alerts, for a Prometheus that selects rules by label',
      ],
    ],
    exits: ['asExpected', 'badInput'],
  },
  run: render,
};

async function render(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values, positionals } = readFlags(args, flags);
  if (positionals.length === 0) throw new BadInput(['render needs a file, and has none']);
  const only = kindsOf(values.only ?? []);
  const options = {
    labels: labelsOf(values.label ?? []),
    runbookUrl: (values['runbook-url'] ?? defaultRunbookUrl).replace(/[/]+$/, ''),
  };
  const output = oneOf('--output', values.output ?? 'yaml', ['yaml', 'json']);
  const objects = positionals
    .flatMap((file) => readRollouts(file, terminal))
    .flatMap((run) => manifestsOf(run, options))
    .filter(({ kind }) => only.includes(kind))
    .map(({ object }) => object);
  terminal.out(output === 'yaml' ? yaml(objects) : json(objects));
  return exitCodes.asExpected;
}

function kindsOf(given: readonly string[]): readonly ManifestKind[] {
  return given.length === 0
    ? manifestKinds
    : given.map((text) => oneOf('--only', text, manifestKinds));
}

function labelsOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const [, name, value] = /^([^=\s]+)=(.*)$/.exec(text) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new BadInput([`--label ${JSON.stringify(text)} is not of the form NAME=VALUE`]);
    }),
  );
}

function yaml(objects: readonly KubeObject[]): string {
  const options = { lineWidth: 0, aliasDuplicateObjects: false };
  return objects.map((object) => stringify(object, options)).join('---\n');
}

function json(objects: readonly KubeObject[]): string {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  return `${JSON.stringify(objects.length === 1 ? objects[0] : list, undefined, 2)}\n`;
}
