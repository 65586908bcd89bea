/**
 * From a query for a rate to one for a count: how many there were over a time that is put in later. Every request is
 * counted once, which overlapping rates cannot promise.
 */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';

export type Counting =
  | {
      readonly type: 'counted';
      /** The query in pieces; between each two stands the time T to count over. */
      readonly increase: readonly string[];
      /** The same, less what `increase` may have made up. */
      readonly seen: readonly string[];
    }
  | {
      readonly type: 'uncounted';
      /** What stands in the way, and what is allowed. */
      readonly message: string;
    };

const ALLOWED =
  'counted are rate(m[…]), irate(m[…]) and increase(m[…]), by themselves or under sum, +, -, or and histogram_count';

/**
 * Each `rate(m[5m])` becomes `increase(m[T])`, or `(increase(m[T]) * (1 - 2.2 / (count_over_time(m[T]) + 1.2)))`.
 *
 * `increase` stretches what lies between its first and its last sample to the whole of T, by at most 1.1 sample
 * distances at each end (extrapolationThreshold in promql/functions.go): with n samples by at most (n + 1.2) / (n − 1).
 * The factor takes that back. So no request is counted that was not seen, which would make chance look like evidence
 * while T is short; what is lost is less than 1 % after an hour.
 *
 * @param text PromQL that has been checked
 * @param original what the pieces are cut from: the same text, place by place, with its placeholders
 */
export function countQuery(text: string, original: string = text): Counting {
  const [root] = partsOf(parser.parse(text).topNode);
  const counters: Counter[] = [];
  const obstacle = root === undefined ? undefined : findCounters(root, text, counters);
  if (obstacle !== undefined) {
    const found = original.slice(obstacle.from, obstacle.to).trim();
    return { type: 'uncounted', message: `${shortened(found)} gives no count; ${ALLOWED}` };
  }
  const increase = rewritten(original, counters, (of) => [`increase(${of}[`, '])']);
  const seen = rewritten(original, counters, (of) => [
    `(increase(${of}[`,
    `]) * (1 - 2.2 / (count_over_time(${of}[`,
    ']) + 1.2)))',
  ]);
  return { type: 'counted', increase, seen };
}

/** The text with something else in place of each counter, cut where the time to count over stands. */
function rewritten(
  text: string,
  counters: readonly Counter[],
  piecesFor: (selector: string) => readonly string[],
): readonly string[] {
  const pieces: string[] = [];
  let open = '';
  let doneTo = 0;
  for (const { call, selector } of counters) {
    const [first = '', ...rest] = piecesFor(text.slice(selector.from, selector.to));
    pieces.push(open + text.slice(doneTo, call.from) + first, ...rest.slice(0, -1));
    open = rest.at(-1) ?? '';
    doneTo = call.to;
  }
  return [...pieces, open + text.slice(doneTo)];
}

interface Counter {
  readonly call: SyntaxNode;
  readonly selector: SyntaxNode;
}

/** Sums of counts are counts, and so are differences; of everything else that is not known. */
function findCounters(node: SyntaxNode, text: string, found: Counter[]): SyntaxNode | undefined {
  const parts = partsOf(node);
  switch (node.name) {
    case 'ParenExpr':
      return findAll(parts, text, found);
    case 'AggregateExpr':
      return named(parts, 'AggregateOp', text) === 'sum'
        ? findAll(argumentsOf(parts), text, found)
        : node;
    case 'BinaryExpr':
      return inBinary(node, parts, text, found);
    case 'FunctionCall':
      return inCall(node, parts, text, found);
    default:
      return node;
  }
}

function findAll(
  nodes: readonly SyntaxNode[],
  text: string,
  found: Counter[],
): SyntaxNode | undefined {
  for (const node of nodes) {
    const obstacle = findCounters(node, text, found);
    if (obstacle !== undefined) return obstacle;
  }
  return undefined;
}

const OPERATORS: readonly string[] = ['Add', 'Sub', 'Or'];

function inBinary(
  node: SyntaxNode,
  parts: readonly SyntaxNode[],
  text: string,
  found: Counter[],
): SyntaxNode | undefined {
  const [left, operator] = parts;
  const right = parts.at(-1);
  if (!left || !operator || !right || !OPERATORS.includes(operator.name)) return node;
  const isZero = /^vector\s*\(\s*0\s*\)$/.test(text.slice(right.from, right.to));
  return findAll(operator.name === 'Or' && isZero ? [left] : [left, right], text, found);
}

const COUNTERS: readonly string[] = ['rate', 'irate', 'increase'];

function inCall(
  node: SyntaxNode,
  parts: readonly SyntaxNode[],
  text: string,
  found: Counter[],
): SyntaxNode | undefined {
  const name = named(parts, 'FunctionIdentifier', text);
  const [argument] = argumentsOf(parts);
  if (name === 'histogram_count' && argument) return findCounters(argument, text, found);
  const [selector] = argument?.name === 'MatrixSelector' ? partsOf(argument) : [];
  if (!COUNTERS.includes(name) || selector?.name !== 'VectorSelector') return node;
  found.push({ call: node, selector });
  return undefined;
}

function argumentsOf(parts: readonly SyntaxNode[]): readonly SyntaxNode[] {
  const body = parts.find(({ name }) => name === 'FunctionCallBody');
  return body ? partsOf(body) : [];
}

function named(parts: readonly SyntaxNode[], kind: string, text: string): string {
  const node = parts.find(({ name }) => name === kind);
  return node ? text.slice(node.from, node.to).toLowerCase() : '';
}

function partsOf(node: SyntaxNode): readonly SyntaxNode[] {
  const parts: SyntaxNode[] = [];
  for (let part = node.firstChild; part; part = part.nextSibling) {
    if (part.name !== 'LineComment') parts.push(part);
  }
  return parts;
}

function shortened(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
