/**
 * Signatures of PromQL's functions and aggregations, after Prometheus promql/parser/functions.go (3.5) and the newer ones
 * of the grammar in use. `?` marks arguments that may be left out, `…` one that may be repeated.
 */

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string';

export interface Signature {
  readonly args: readonly ValueType[];
  readonly argsMin: number;
  readonly argsMax: number;
  readonly returns: ValueType;
}

const TEXT = `
vector(vector): abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh
  sort sort_desc sqrt tan tanh timestamp start_timestamp
  histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar
vector(vector?): day_of_month day_of_week day_of_year days_in_month hour minute month year
vector(matrix): absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate
  last_over_time mad_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time
  stdvar_over_time sum_over_time ts_of_first_over_time ts_of_last_over_time ts_of_max_over_time ts_of_min_over_time
vector(vector,scalar,scalar): clamp
vector(vector,scalar): clamp_max clamp_min
vector(vector,scalar?): round
vector(matrix,scalar,scalar): double_exponential_smoothing
vector(matrix,scalar): predict_linear
vector(scalar,matrix): quantile_over_time
vector(scalar,vector): histogram_quantile
vector(scalar,scalar,vector): histogram_fraction
vector(vector,string,scalar…): histogram_quantiles
vector(vector,vector?): info
vector(vector,string,string,string,string): label_replace
vector(vector,string,string,string…): label_join
vector(vector,string…): sort_by_label sort_by_label_desc
vector(scalar): vector
scalar(vector): scalar
scalar(): time pi start end range step
`;

/** How many arguments come before the one that is aggregated, and of what type. */
const AGGREGATION_PARAMETERS: Readonly<Record<string, ValueType>> = {
  topk: 'scalar',
  bottomk: 'scalar',
  quantile: 'scalar',
  limitk: 'scalar',
  limit_ratio: 'scalar',
  count_values: 'string',
};

let known: ReadonlyMap<string, Signature> | undefined;

/** The table, read when the first query is checked. */
export function knownSignatures(): ReadonlyMap<string, Signature> {
  known ??= readTable();
  return known;
}

function readTable(): ReadonlyMap<string, Signature> {
  const signatures = new Map<string, Signature>();
  for (const line of TEXT.trim().split(/\n(?! )/)) {
    const [, returns, args, names] = /^(\w+)\(([^)]*)\): ([^]*)$/.exec(line) ?? [];
    const signature = parseSignature(args ?? '', toValueType(returns ?? ''));
    for (const name of (names ?? '').split(/\s+/)) signatures.set(name, signature);
  }
  return signatures;
}

export function aggregationSignature(op: string): Signature {
  const parameter = AGGREGATION_PARAMETERS[op];
  const args: ValueType[] = parameter ? [parameter, 'vector'] : ['vector'];
  return { args, argsMin: args.length, argsMax: args.length, returns: 'vector' };
}

function parseSignature(text: string, returns: ValueType): Signature {
  const args = text === '' ? [] : text.split(',');
  const isOpen = text.endsWith('…');
  return {
    args: args.map((arg) => toValueType(arg.replace(/[?\u2026]$/, ''))),
    // A repeated argument may be left out altogether, as in Prometheus' own check.
    argsMin: args.filter((arg) => !/[?\u2026]$/.test(arg)).length,
    argsMax: isOpen ? Number.POSITIVE_INFINITY : args.length,
    returns,
  };
}

function toValueType(text: string): ValueType {
  if (text === 'scalar' || text === 'vector' || text === 'matrix' || text === 'string') return text;
  throw new Error(`no value type: ${text}`);
}
