/** A rollout followed where nobody redraws a screen: one line for each change, as the simulator writes them. */
import type { RolloutStatus } from '#api/status.ts';
import type { Terminal } from '#cli/command.ts';
import { readStatus } from '#cli/page/readable-status.ts';
import { instantText } from '#cli/times.ts';
import type { KubeObject } from '#ports/cluster.ts';
import { lineText } from '#simulate/expectations.ts';
import { type Line, linesOf } from '#simulate/timeline.ts';
import type { Show } from './follow.ts';

export function changesOn({ out, clock }: Terminal): Show {
  let before: RolloutStatus | undefined;
  const show = (object: KubeObject): void => {
    const atMs = clock.now();
    const { status } = readStatus(object['status']);
    const lines = before === undefined ? [standing(status, atMs)] : changes(before, status, atMs);
    before = status;
    const said = new Set<string>();
    for (const line of lines) {
      const { message } = line;
      const isNew = message !== undefined && message !== '' && !said.has(message);
      if (message !== undefined) said.add(message);
      out(`${instantText(atMs)}Z  ${lineText(line)}${isNew ? `: ${message}` : ''}\n`);
    }
  };
  return { show, close: () => undefined };
}

function standing(status: RolloutStatus, atMs: number): Line {
  const { phase = 'New', message } = status;
  return { atMs, kind: 'phase', value: phase, ...(message === undefined ? {} : { message }) };
}

function changes(before: RolloutStatus, after: RolloutStatus, atMs: number): Line[] {
  const weight: Line[] =
    after.weight === undefined || after.weight === before.weight
      ? []
      : [{ atMs, kind: 'weight', value: after.weight }];
  return [...linesOf({ atMs, before, after, events: [] }), ...weight];
}
