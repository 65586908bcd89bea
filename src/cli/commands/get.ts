/** `kubectl genesis get`: rollouts as a table, a line each. */
import {
  type Command,
  type ExitCode,
  exitCodes,
  Failure,
  type FlagTable,
  type Terminal,
} from '#cli/command.ts';
import { findRollout, listRollouts, rolloutName } from '#cli/find-rollout.ts';
import { oneOf, readFlags } from '#cli/flags.ts';
import { kubeFlags, withClient } from '#cli/kube-flags.ts';
import { rowsText } from '#cli/rollout-rows.ts';
import type { KubectlClient } from '#kube/kubectl-client.ts';
import type { KubeObject } from '#ports/cluster.ts';

const flags = {
  output: {
    type: 'string',
    short: 'o',
    operand: 'wide|json|yaml|name',
    what: 'more columns, the objects, or their names; default: a table',
  },
  'all-namespaces': { type: 'boolean', short: 'A', what: 'those of every namespace' },
  selector: { type: 'string', short: 'l', operand: 'LABELS', what: 'only those with these labels' },
  'field-selector': {
    type: 'string',
    operand: 'FIELDS',
    what: 'only those with these fields, such as status.phase=Held',
  },
  'no-headers': { type: 'boolean', what: 'leaves the heads of the columns out' },
  ...kubeFlags,
} as const satisfies FlagTable;

export const getCommand: Command = {
  spec: {
    operands: '[NAME…] [flags]',
    about: ['Without a name: all of the namespace.'],
    flags,
    isOnline: true,
    examples: [
      ['kubectl genesis get', 'every rollout of the namespace'],
      ['kubectl genesis get -A --field-selector status.phase=Held', 'whatever is held anywhere'],
      ['kubectl genesis get checkout -o yaml', 'one, whole'],
    ],
    exits: ['asExpected', 'failed', 'badInput', 'notFound', 'refused'],
  },
  run: get,
};

async function get(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values, positionals } = readFlags(args, flags);
  const output = oneOf('--output', values.output ?? 'table', [
    'table',
    'wide',
    'json',
    'yaml',
    'name',
  ]);
  const names = [...new Set(positionals.map(rolloutName))];
  const isEverywhere = values['all-namespaces'] === true;
  const isSelected = values.selector !== undefined || values['field-selector'] !== undefined;
  if (names.length > 0 && (isEverywhere || isSelected)) {
    throw new Failure('badInput', [
      `a rollout is named (${names.join(', ')}), so -A, -l and --field-selector select nothing: leave one of the two out`,
    ]);
  }
  return await withClient(values, terminal, async (client) => {
    const selection = {
      namespace: isEverywhere ? undefined : client.namespace,
      labelSelector: values.selector,
      fieldSelector: values['field-selector'],
    };
    const signal = terminal.interrupted;
    const { found, failures } =
      names.length === 0
        ? { found: await listRollouts(client, selection, signal), failures: [] }
        : await findAll(client, names, signal);
    if (output === 'json' || output === 'yaml') {
      const { objectsText } = await import('#cli/output.ts');
      if (found.length > 0 || names.length === 0) {
        terminal.out(objectsText(found, output, names.length === 1));
      }
    } else if (output === 'name') {
      const { nameText } = await import('#cli/output.ts');
      terminal.out(found.map((object) => `${nameText(object)}\n`).join(''));
    } else if (found.length > 0) {
      terminal.out(
        rowsText(found, {
          nowMs: terminal.clock.now(),
          isWide: output === 'wide',
          isEverywhere,
          hasHead: values['no-headers'] !== true,
        }),
      );
    } else if (names.length === 0) {
      terminal.err(
        `No rollouts found${isEverywhere ? '' : ` in namespace ${client.namespace}`}.\n`,
      );
    }
    for (const { sentences } of failures) {
      for (const sentence of sentences) terminal.err(`error: ${sentence}\n`);
    }
    return failures[0]?.exit ?? exitCodes.asExpected;
  });
}

/** Those that are there are shown, and those that are not are named. */
async function findAll(client: KubectlClient, names: readonly string[], signal: AbortSignal) {
  const found: KubeObject[] = [];
  const failures: Failure[] = [];
  for (const name of names) {
    try {
      found.push(await findRollout(client, name, signal));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failures.push(error);
    }
  }
  return { found, failures };
}
