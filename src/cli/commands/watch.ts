/** `kubectl genesis watch NAME`: the page drawn anew on a terminal, one line for each change elsewhere. */
import { type Command, type ExitCode, type FlagTable, type Terminal } from '#cli/command.ts';
import { oneOf, readFlags } from '#cli/flags.ts';
import { durationOf, kubeFlags, whereText, withClient } from '#cli/kube-flags.ts';
import { onlyName } from '#cli/one-rollout.ts';
import { changesOn } from '#cli/watching/changes.ts';
import { phaseNames, type Until } from '#cli/watching/ending.ts';
import { follow } from '#cli/watching/follow.ts';
import { screenOn } from '#cli/watching/screen.ts';

const flags = {
  until: {
    type: 'string',
    operand: 'PHASE|done',
    what: 'ends when this phase is reached, or when the run is over; default: done',
  },
  timeout: {
    type: 'string',
    operand: 'DURATION',
    what: 'ends after this time whatever has happened; default: never',
  },
  'no-color': { type: 'boolean', what: 'no colours; the same as NO_COLOR=1' },
  ...kubeFlags,
} as const satisfies FlagTable;

export const watchCommand: Command = {
  spec: {
    operands: 'NAME [flags]',
    about: [
      'On a terminal it draws the page of `status` anew; elsewhere it prints a line for each change.',
      `Phases: ${phaseNames.join(', ')}.`,
      'A revision that has just been applied is waited for: what a former run came to does not count.',
    ],
    flags,
    isOnline: true,
    examples: [
      ['kubectl genesis watch checkout --timeout 50h', 'in a pipeline: 0 Succeeded, 6 rolled back'],
      ['kubectl genesis watch checkout --until Held', 'until it needs somebody'],
    ],
    exits: [
      'asExpected',
      'failed',
      'badInput',
      'notFound',
      'refused',
      'timedOut',
      'rolledBack',
      'interrupted',
    ],
  },
  run: watch,
};

async function watch(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values, positionals } = readFlags(args, flags);
  const name = onlyName(positionals, 'watch');
  const until = untilOf(values.until);
  const limitMs =
    values.timeout === undefined
      ? Number.POSITIVE_INFINITY
      : durationOf('--timeout', values.timeout);
  const where = whereText(values);
  const isPlain = values['no-color'] === true;
  return await withClient(values, terminal, async (client) => {
    const shown = terminal.isTty ? screenOn(terminal, { isPlain, where }) : changesOn(terminal);
    try {
      return await follow({ client, name, until, limitMs, terminal, shown });
    } finally {
      shown.close();
    }
  });
}

function untilOf(text: string | undefined): Until {
  if (text === undefined) return 'done';
  const lower = text.toLowerCase();
  const found = [...phaseNames, 'done' as const].find((one) => one.toLowerCase() === lower);
  return found ?? oneOf('--until', text, [...phaseNames, 'done']);
}
