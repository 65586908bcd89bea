/** Conditions: `"<operator> <number><unit>"`, such as `"> 0.5%"`. The unit brings the number to Prometheus base units. */

export type Operator = '>' | '>=' | '<' | '<=' | '==' | '!=';
export type Unit = keyof typeof units | '';

export interface Condition {
  readonly operator: Operator;
  /** In base units: ratio, seconds, bytes, or as it was written when there is no unit. */
  readonly threshold: number;
  readonly unit: Unit;
  /** As it was written. */
  readonly text: string;
}

export const operators = ['>', '>=', '<', '<=', '==', '!='] as const satisfies Operator[];

/** One of a unit is `times × 10^power` in base units, in whole numbers so that `0.5%` is exactly 0.005. */
const units = {
  '%': { times: 1n, power: -2, symbol: '%' },
  ms: { times: 1n, power: -3, symbol: 'ms' },
  s: { times: 1n, power: 0, symbol: 's' },
  m: { times: 60n, power: 0, symbol: 'm' },
  h: { times: 3600n, power: 0, symbol: 'h' },
  B: { times: 1n, power: 0, symbol: 'B' },
  KB: { times: 1n, power: 3, symbol: 'KB' },
  MB: { times: 1n, power: 6, symbol: 'MB' },
  GB: { times: 1n, power: 9, symbol: 'GB' },
  KiB: { times: 1024n, power: 0, symbol: 'KiB' },
  MiB: { times: 1024n ** 2n, power: 0, symbol: 'MiB' },
  GiB: { times: 1024n ** 3n, power: 0, symbol: 'GiB' },
} as const;

export const unitNames = Object.keys(units) as readonly Exclude<Unit, ''>[];

const form = /^(>=|<=|==|!=|>|<) *(-?)([0-9]{1,15})(?:[.]([0-9]{1,15}))? *([^0-9. ]*)$/;

/** What {@link parseCondition} takes, as one RE2 pattern for the CRD. */
export const conditionPattern = `^(${operators.join('|')}) *-?[0-9]{1,15}([.][0-9]{1,15})? *(${unitNames.join('|')})?$`;

/** Throws RangeError, with a sentence that names what is allowed. */
export function parseCondition(text: string): Condition {
  const match = form.exec(text);
  if (match === null) {
    throw new RangeError(
      `condition ${JSON.stringify(text)} is not "<operator> <number><unit>", such as "> 0.5%"; ` +
        `operators are ${operators.join(' ')}, units are ${unitNames.join(' ')} or none`,
    );
  }
  const [, sought, sign, whole = '', fraction = '', unit = ''] = match;
  const operator = operators.find((known) => known === sought) ?? '>';
  if (!isUnit(unit)) {
    throw new RangeError(
      `condition ${JSON.stringify(text)}: unknown unit ${JSON.stringify(unit)}; allowed are ${unitNames.join(' ')} or none`,
    );
  }
  const { times, power } = unit === '' ? { times: 1n, power: 0 } : units[unit];
  const digits = BigInt(whole + fraction) * times;
  // One conversion from an exact decimal, so the nearest double and not a product of two rounded ones.
  const threshold = Number(`${sign}${digits}e${power - fraction.length}`);
  return { operator, threshold: threshold === 0 ? 0 : threshold, unit, text };
}

const comparisons: Readonly<Record<Operator, (value: number, threshold: number) => boolean>> = {
  '>': (value, threshold) => value > threshold,
  '>=': (value, threshold) => value >= threshold,
  '<': (value, threshold) => value < threshold,
  '<=': (value, threshold) => value <= threshold,
  '==': (value, threshold) => value === threshold,
  '!=': (value, threshold) => value !== threshold,
};

/** Whether the breach (or the criterion) holds for a value in base units. NaN never does. */
export function holds(condition: Condition, value: number): boolean {
  return !Number.isNaN(value) && comparisons[condition.operator](value, condition.threshold);
}

/** A value in base units, in the unit the condition was written in: `0.072` is `7.2%`. */
export function formatValue(value: number, unit: Unit, significantDigits = 4): string {
  if (!Number.isFinite(value)) return String(value);
  if (unit === '') return shortest(value, significantDigits);
  const { times, power } = units[unit];
  return `${shortest((value / Number(times)) * 10 ** -power, significantDigits)}${unit}`;
}

/** `7.2% > 0.5%`, with as many digits as it takes to tell the value from the threshold. */
export function compareText(condition: Condition, value: number): string {
  const threshold = formatValue(condition.threshold, condition.unit, 15);
  let shown = formatValue(value, condition.unit);
  for (
    let digits = 5;
    shown === threshold && value !== condition.threshold && digits <= 17;
    digits++
  ) {
    shown = formatValue(value, condition.unit, digits);
  }
  return `${shown} ${condition.operator} ${threshold}`;
}

function isUnit(unit: string): unit is Unit {
  return unit === '' || Object.hasOwn(units, unit);
}

function shortest(value: number, significantDigits: number): string {
  const rounded = Number(value.toPrecision(significantDigits));
  return Object.is(rounded, -0) ? '0' : String(rounded);
}
