/**
 * Freeze windows: in which of them is a moment, and until when? A window opens by cron in its own time zone
 * and lasts for elapsed time, so that a change of daylight saving neither shortens nor stretches it.
 *
 * croner follows Vixie cron: a time of day that a change skips opens at the change, one that comes twice opens
 * at the first. Only expressions with `*` or a step among minutes and hours open by the interval instead.
 */
import { Cron } from 'croner';
import type { FreezeWindow } from './run-spec.ts';
import { toIso } from './time.ts';

export interface ActiveFreeze {
  readonly window: FreezeWindow;
  /** Until when it is closed to rises, ms since the epoch; windows that follow without a gap are one. */
  readonly endsAtMs: number;
}

/** A window that opens again before it has closed is followed this often: a sentence needs no more. */
const CHAIN_MAX = 32;
const SECOND_MS = 1000;
/** Any moment will do to find out whether an expression ever opens. */
const SOME_MOMENT_MS = Date.UTC(2024, 0, 1);

/** Windows that are closed to rises now; one that ends now is over. */
export function activeFreezes(windows: readonly FreezeWindow[], now: number): ActiveFreeze[] {
  return windows.flatMap((window) => {
    const { openedAtMs, endsAtMs } = occurrenceAt(window, now);
    const isClosed = openedAtMs !== undefined && now < openedAtMs + window.durationMs;
    return isClosed ? [{ window, endsAtMs }] : [];
  });
}

export function freezeSentence({ window, endsAtMs }: ActiveFreeze): string {
  const why = window.reason === undefined ? '' : ` (${window.reason})`;
  return `frozen by ${window.name}${why} until ${toIso(endsAtMs)}`;
}

/** What is wrong with an expression or a zone, as sentences that name field and value; empty when all is well. */
export function freezeProblems(
  where: string,
  { cron, timeZone }: { readonly cron: string; readonly timeZone: string },
): string[] {
  if (!isTimeZone(timeZone)) {
    return [
      `${where}.timeZone: "${timeZone}" is not a time zone; allowed are IANA names such as Europe/Berlin or UTC`,
    ];
  }
  const allowed =
    'allowed are minute, hour, day of month, month and day of week, such as "0 18 * * 5"';
  try {
    const opensAt = compile(cron, timeZone).nextRun(new Date(SOME_MOMENT_MS));
    return opensAt === null ? [`${where}.cron: "${cron}" never opens; ${allowed}`] : [];
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : 'unreadable';
    return [`${where}.cron: "${cron}" is not a cron expression: ${why}; ${allowed}`];
  }
}

/** Offsets such as +02:00 know no daylight saving, and are no names. */
function isTimeZone(name: string): boolean {
  if (name === 'UTC') return true;
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function compile(cron: string, timeZone: string): Cron {
  return new Cron(cron, {
    timezone: timeZone,
    mode: '5-part',
    fixedTimeRule: 'no-wildcard',
    paused: true,
  });
}

/** The newest opening at a moment, and for which moments it is the newest. */
interface Occurrence {
  readonly openedAtMs: number | undefined;
  readonly endsAtMs: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Looks are many, openings few: what was found is kept for as long as it holds. */
const known = new WeakMap<FreezeWindow, { readonly cron: Cron; readonly newest: Occurrence }>();

function occurrenceAt(window: FreezeWindow, now: number): Occurrence {
  const remembered = known.get(window);
  if (remembered !== undefined) {
    const { newest } = remembered;
    if (now >= newest.fromMs && now < newest.untilMs) return newest;
  }
  const cron = remembered?.cron ?? compile(window.cron, window.timeZone);
  const newest = findOccurrence(cron, window.durationMs, now);
  known.set(window, { cron, newest });
  return newest;
}

/** Of one window all openings last equally long, so the newest one ends last. */
function findOccurrence(cron: Cron, durationMs: number, now: number): Occurrence {
  // croner looks for what lies before the second it is given.
  const secondMs = Math.floor(now / SECOND_MS) * SECOND_MS;
  const [opened] = cron.previousRuns(1, new Date(secondMs + SECOND_MS));
  const next = cron.nextRun(new Date(secondMs));
  const openedAtMs = opened?.getTime();
  let endsAtMs = (openedAtMs ?? now) + durationMs;
  let following = next;
  for (let link = 0; link < CHAIN_MAX; link += 1) {
    if (following === null || following.getTime() > endsAtMs) break;
    endsAtMs = following.getTime() + durationMs;
    following = cron.nextRun(following);
  }
  return {
    openedAtMs,
    endsAtMs,
    fromMs: openedAtMs ?? secondMs,
    untilMs: next?.getTime() ?? Number.POSITIVE_INFINITY,
  };
}
