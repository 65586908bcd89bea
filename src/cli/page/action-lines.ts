/** What a person can do now, as commands that can be copied. */
import { isOfChain } from '#cli/chain-holds.ts';
import { program } from '#cli/help.ts';
import type { Page } from './page.ts';
import { nextPoint } from './plan-lines.ts';
import { hang, wrapCommand } from './wrap.ts';

interface Choice {
  readonly command: string;
  readonly what: string;
}

export function actionLines(page: Page): string[] {
  const { width, ink } = page;
  return choicesOf(page).flatMap(({ command, what }) => [
    ...wrapCommand(command, '  ', width),
    ...hang('      ', what, width).map((line) => ink.paint('faint', line)),
  ]);
}

function choicesOf(page: Page): Choice[] {
  const { view, where } = page;
  const { status, name, deletedMs } = view;
  const command = (verb: string, rest = '') => `${program} ${verb} ${name}${where}${rest}`;
  if (deletedMs !== undefined || status.runId === undefined) return [];
  if (status.phase === 'Succeeded') return [];
  if (status.phase === 'RolledBack') {
    return [{ command: command('retry'), what: 'starts a new run of this revision' }];
  }
  if (status.phase === 'RollingBack') return [];
  const isAsked = (reasons: readonly string[]) =>
    (status.holds ?? []).filter(({ reason }) => reasons.includes(reason));
  const approvals = isAsked(['ApprovalRequired', 'ApprovalExpired']).map(({ by }) => ({
    command: command('approve', ` --step ${by}`),
    what: `lets step ${by} go on, as one of the approvals that it needs`,
  }));
  const firing = (status.triggers ?? [])
    .filter(({ state, acknowledgedAt }) => state === 'Firing' && acknowledgedAt === undefined)
    .map((trigger) => ({
      command: `${program} acknowledge ${name} ${trigger.name}${where}`,
      what: `says that somebody looks at ${trigger.name}`,
    }));
  const isLiftable =
    status.pausedBy !== undefined ||
    isAsked(['WouldServeOlderVersion', 'LoweredByAnother']).length > 0;
  const isBlind = (status.holds ?? []).some((hold) => isOfChain(hold, status.phase));
  const isMissed = isAsked(['CriteriaMissed']).length > 0;
  const next = nextPoint(page);
  return [
    ...approvals,
    ...firing,
    ...(isBlind
      ? [
          {
            command: command('preflight'),
            what: 'checks from here what it relies on, link by link',
          },
        ]
      : []),
    ...(isLiftable
      ? [{ command: command('resume'), what: 'takes the pause back and lets it go on' }]
      : []),
    ...(isMissed
      ? [{ command: command('extend'), what: 'moves the end, and judges a new window' }]
      : []),
    ...(status.phase === 'Progressing' && next !== undefined
      ? [
          { command: command('pause'), what: 'holds the schedule; triggers are watched on' },
          {
            command: command('promote'),
            what: `goes on with ${next.name} now; holds and gates stay`,
          },
        ]
      : []),
    { command: command('abort'), what: 'sends all traffic back to stable' },
  ];
}
