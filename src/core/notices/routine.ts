/** What the schedule asks for: looks, digests with checklist or trends, and answers that are overdue. */
import { formatValue } from '#api/condition-text.ts';
import type { RolloutStatus } from '#api/status.ts';
import { spanText, toIso } from '#core/time.ts';
import type { TriggerOutcome } from '#core/trigger.ts';
import type { Fact } from './fact.ts';
import type { Watch } from './policy.ts';
import { watchAt } from './policy.ts';

export interface RoutineInput {
  readonly status: RolloutStatus;
  readonly triggers: readonly TriggerOutcome[];
  /** The readings of the digest before. */
  readonly values: Readonly<Record<string, number>>;
  readonly schedule: readonly Watch[];
  readonly now: number;
}

export interface Routine {
  /** The newest that is due; one that nobody was there to send is not made up for. */
  readonly fact: Fact | undefined;
  readonly nextMs: number | undefined;
}

const ended: readonly (string | undefined)[] = ['Succeeded', 'RolledBack', 'RollingBack'];

export function routineOf(input: RoutineInput): Routine {
  const { status, schedule, now } = input;
  const nothing: Routine = { fact: undefined, nextMs: undefined };
  if (status.startedAt === undefined || ended.includes(status.phase)) return nothing;
  const startedMs = Date.parse(status.startedAt);
  const part = watchAt(schedule, now - startedMs);
  if (part === undefined || part.isOver) return nothing;
  const { watch } = part;
  const sinceMs = now - startedMs;
  const lastOf = (everyMs: number) => Math.floor(sinceMs / everyMs) * everyMs;
  const digestMs = lastOf(watch.digestEveryMs);
  const lookMs = lastOf(watch.lookEveryMs);
  const nextMs = startedMs + Math.min(digestMs + watch.digestEveryMs, lookMs + watch.lookEveryMs);
  const dueMs = Math.max(digestMs, lookMs);
  if (dueMs <= 0) return { fact: undefined, nextMs };
  const at = toIso(startedMs + dueMs);
  const isDigest = digestMs === dueMs;
  const isFirst = watch === schedule[0];
  const fact: Fact = {
    id: `${isDigest ? 'digest' : 'look'}/${at}`,
    kind: isDigest ? 'Digest' : 'LookDue',
    severity: 'Info',
    at,
    subject: '',
    what: isDigest ? `summary after ${spanText(dueMs)}` : 'time to look',
    text: `${status.phase ?? 'Unknown'}: ${status.message ?? 'no message'}`,
    ...(isDigest ? { body: digestBody(input, isFirst) } : {}),
  };
  return { fact, nextMs };
}

function digestBody({ status, triggers, values }: RoutineInput, hasChecklist: boolean): string {
  const open = (status.triggers ?? []).filter(({ state }) => state !== 'Inactive');
  const lines = triggers.map((outcome) => `- ${triggerLine(outcome, values, !hasChecklist)}`);
  const { missing = 0, expected = 0 } = status.snapshots ?? {};
  const checklist = [
    '**Checklist**',
    '- [ ] every panel of the dashboard shows data and is green',
    `- [ ] firing, pending or unknown triggers (${open.length}): ${open.map(({ name, state }) => `${name} ${state}`).join(', ') || 'none'}`,
    "- [ ] the operator's log shows no errors",
    `- [ ] snapshots are complete (${missing} of ${expected} missing)`,
    '- [ ] a line in the record',
  ];
  const trends = ['**Trends since the last summary**', '- [ ] nothing decays slowly'];
  return [
    ...(hasChecklist ? checklist : [...trends, ...checklist.slice(1)]),
    '',
    '**Triggers**',
    ...(lines.length === 0 ? ['- none'] : lines),
    ...(status.holds ?? []).map(({ message }) => `- held: ${message}`),
  ].join('\n');
}

function triggerLine(
  { trigger, status, reading }: TriggerOutcome,
  values: Readonly<Record<string, number>>,
  hasTrend: boolean,
): string {
  const { unit, threshold, operator } = trigger.condition;
  const state = `${trigger.name} ${status.state}`;
  if (reading?.type !== 'value') return `${state}: no reading`;
  const before = values[trigger.name];
  const shown = formatValue(reading.value, unit);
  const trend =
    !hasTrend || before === undefined
      ? ''
      : `, ${directionOf(before, reading.value)} from ${formatValue(before, unit)}`;
  return `${state}: ${shown}${trend} (breach ${operator} ${formatValue(threshold, unit)})`;
}

/** Less than a twentieth is no change. */
const SAME_SHARE = 0.05;

function directionOf(before: number, now: number): string {
  const isSame = Math.abs(now - before) <= SAME_SHARE * Math.max(Math.abs(before), Math.abs(now));
  if (isSame) return 'steady';
  return now > before ? 'up' : 'down';
}

export function valuesOf(triggers: readonly TriggerOutcome[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    triggers.flatMap(({ trigger, reading }) =>
      reading?.type === 'value' ? [[trigger.name, reading.value]] : [],
    ),
  );
}
