/** Evidence in a sentence: `canary 1.9% against stable 0.4% (x4.7, e = 1.2e5 > 4,800) after 12,300 requests since 12:00:00`. */
import { clockText } from '#core/time.ts';
import type { ArmCounts } from './e-value.ts';
import type { Evidence } from './evidence.ts';

/** @param sinceMs when the block began */
export function evidenceText(
  { test, canary, stable, logE, isOver }: Evidence,
  bar: { readonly limit: number; readonly logBar: number },
  sinceMs: number,
): string {
  const mine = share(canary);
  const other = stable === undefined ? bar.limit : share(stable);
  const against = test === 'relative' ? `stable ${percent(other)}` : `a limit of ${percent(other)}`;
  const times = other > 0 ? `x${short(mine / other)}, ` : '';
  const e = `e = ${eText(logE)} ${isOver ? '>' : 'not over'} ${grouped(Math.exp(bar.logBar))}`;
  return `canary ${percent(mine)} against ${against} (${times}${e}) after ${grouped(canary.total)} requests since ${clockText(sinceMs)}`;
}

function share({ bad, total }: ArmCounts): number {
  return total > 0 ? bad / total : 0;
}

function percent(value: number): string {
  return `${short(value * 100)}%`;
}

/** Two significant digits. */
function short(value: number): string {
  return String(Number(value.toPrecision(2)));
}

/** e itself overflows where ln e does not. */
function eText(logE: number): string {
  const digits = logE / Math.LN10;
  if (digits < 4) return short(Math.exp(logE));
  const power = Math.floor(digits);
  return `${(10 ** (digits - power)).toFixed(1)}e${power}`;
}

/** `12,300`. */
function grouped(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}
