/** `kubectl genesis status NAME`: one page about a rollout. */
import {
  type Command,
  type ExitCode,
  exitCodes,
  type FlagTable,
  type Terminal,
} from '#cli/command.ts';
import { findRollout } from '#cli/find-rollout.ts';
import { oneOf, readFlags } from '#cli/flags.ts';
import { kubeFlags, whereText, withClient } from '#cli/kube-flags.ts';
import { onlyName } from '#cli/one-rollout.ts';
import { inkFor } from '#cli/page/ink.ts';
import { pageText } from '#cli/page/page.ts';
import { pageWidth } from '#cli/page/width.ts';

const flags = {
  output: {
    type: 'string',
    short: 'o',
    operand: 'json|yaml',
    what: 'the object itself; default: a page',
  },
  'no-color': { type: 'boolean', what: 'no colours; the same as NO_COLOR=1' },
  ...kubeFlags,
} as const satisfies FlagTable;

export const statusCommand: Command = {
  spec: {
    operands: 'NAME [flags]',
    about: ['Ends with 0 whatever the phase is; `watch --until` tells phases by its exit code.'],
    flags,
    isOnline: true,
    examples: [
      ['kubectl genesis status checkout -n shop', 'where it is, why, and what comes next'],
    ],
    exits: ['asExpected', 'failed', 'badInput', 'notFound', 'refused'],
  },
  run: status,
};

async function status(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values, positionals } = readFlags(args, flags);
  const output = oneOf('--output', values.output ?? 'page', ['page', 'json', 'yaml']);
  const name = onlyName(positionals, 'status');
  return await withClient(values, terminal, async (client) => {
    const object = await findRollout(client, name, terminal.interrupted);
    if (output === 'page') {
      terminal.out(
        pageText({
          object,
          nowMs: terminal.clock.now(),
          width: pageWidth(terminal),
          ink: inkFor({ ...terminal, isPlain: values['no-color'] === true }),
          where: whereText(values),
        }),
      );
    } else {
      const { objectsText } = await import('#cli/output.ts');
      terminal.out(objectsText([object], output, true));
    }
    return exitCodes.asExpected;
  });
}
