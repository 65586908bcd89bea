/** From text to an expression: the grammar of Prometheus' own web page, whose tree is then put in order. */
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import {
  type BinaryParts,
  type Expr,
  type Grouping,
  type Matcher,
  type Matching,
  PromqlFault,
} from './ast.ts';
import { durationMs } from './duration.ts';
import { scan } from './scan.ts';
import { unquote } from './string.ts';

/** Throws PromqlFault where the text is no PromQL. */
export function parsePromql(text: string): Expr {
  if (text.trim() === '') throw new PromqlFault(0, 'the query is empty');
  scan(text);
  const tree = parser.parse(text);
  tree.iterate({
    enter: (node) => {
      if (node.type.isError) throw syntaxFault(text, node.from, node.to);
    },
  });
  const [root] = childrenOf(tree.topNode);
  if (!root) throw new PromqlFault(0, 'there is nothing but a comment');
  return new Reader(text).expr(root);
}

class Reader {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  expr(node: SyntaxNode): Expr {
    const { from } = node;
    switch (node.name) {
      case 'NumberDurationLiteral':
        return { type: 'number', from, value: parseNumber(this.#slice(node)) };
      case 'StringLiteral':
        return { type: 'string', from, value: this.#string(node) };
      case 'VectorSelector':
        return this.#selector(node);
      case 'ParenExpr':
        return { type: 'paren', from, of: this.expr(only(node)) };
      case 'UnaryExpr':
        return {
          type: 'unary',
          from,
          op: this.#slice(childrenOf(node)[0] ?? node),
          of: this.expr(last(node)),
        };
      case 'BinaryExpr':
        return this.#binary(node);
      case 'AggregateExpr':
        return {
          type: 'aggregate',
          from,
          op: this.#name(node, 'AggregateOp'),
          grouping: this.#grouping(node),
          args: this.#args(node),
        };
      case 'FunctionCall':
        return {
          type: 'call',
          from,
          name: this.#name(node, 'FunctionIdentifier'),
          args: this.#args(node),
        };
      default:
        return this.#postfix(node);
    }
  }

  /**
   * The grammar reads `a / b offset 1h` as `(a / b) offset 1h`, and `2 * m[5m]` alike. What stands behind an
   * operand belongs to that operand alone.
   */
  #postfix(node: SyntaxNode): Expr {
    const [inner] = childrenOf(node);
    if (!inner) throw new PromqlFault(node.from, 'an expression is missing');
    const wrap = this.#wrapper(node);
    const apply = (expr: Expr): Expr => {
      if (expr.type === 'binary') return { ...expr, right: apply(expr.right) };
      if (expr.type === 'unary') return { ...expr, of: apply(expr.of) };
      return wrap(expr);
    };
    return apply(this.expr(inner));
  }

  #wrapper(node: SyntaxNode): (of: Expr) => Expr {
    const durations = childrenOf(node).filter(({ name }) => name.endsWith('DurationExpr'));
    const [first] = durations;
    switch (node.name) {
      case 'MatrixSelector': {
        const rangeMs = this.#positive(first ?? node);
        return (of) => ({ type: 'matrix', from: of.from, of, rangeMs });
      }
      case 'SubqueryExpr': {
        const [rangeMs = 0, stepMs] = durations.map((duration) => this.#positive(duration));
        return (of) => ({ type: 'subquery', from: of.from, of, rangeMs, stepMs });
      }
      case 'OffsetExpr': {
        const offsetMs = this.#durationMs(first ?? node);
        return (of) => ({ type: 'offset', from: of.from, of, offsetMs });
      }
      case 'StepInvariantExpr':
        return (of) => ({ type: 'at', from: of.from, of });
      // How samples at the edges of a range are used; no other samples to speak of.
      case 'AnchoredExpr':
      case 'SmoothedExpr':
        return (of) => of;
      default:
        throw new PromqlFault(node.from, `${node.name} is not known here`);
    }
  }

  #binary(node: SyntaxNode): Expr {
    const parts = childrenOf(node);
    const [left, operator] = parts;
    const right = parts.at(-1);
    if (!left || !operator || !right) throw new PromqlFault(node.from, 'an operand is missing');
    const matching = parts.find(({ name }) => name === 'MatchingModifierClause');
    const binary: BinaryParts = {
      type: 'binary',
      op: this.#slice(operator).toLowerCase(),
      bool: parts.some(({ name }) => name === 'BoolModifier'),
      matching: matching ? this.#matching(matching) : undefined,
      left: this.expr(left),
      right: this.expr(right),
    };
    return { ...binary, from: node.from };
  }

  #matching(node: SyntaxNode): Matching {
    const parts = childrenOf(node);
    const [labels = [], included = []] = parts
      .filter(({ name }) => name === 'GroupingLabels')
      .map((list) => childrenOf(list).map((label) => this.#label(label)));
    const many = parts.some(({ name }) => name === 'GroupLeft')
      ? 'left'
      : parts.some(({ name }) => name === 'GroupRight')
        ? 'right'
        : undefined;
    const on = parts.some(({ name }) => name === 'On');
    return { on, labels, grouped: many !== undefined, many, included };
  }

  /** `by` and `without` stand before or behind the arguments. */
  #grouping(node: SyntaxNode): Grouping {
    const modifier = childrenOf(node).find(({ name }) => name === 'AggregateModifier');
    const parts = modifier === undefined ? [] : childrenOf(modifier);
    const list = parts.find(({ name }) => name === 'GroupingLabels');
    return {
      without: parts.some(({ name }) => name === 'Without'),
      labels: list === undefined ? [] : childrenOf(list).map((label) => this.#label(label)),
    };
  }

  #selector(node: SyntaxNode): Expr {
    const names: string[] = [];
    const matchers: Matcher[] = [];
    for (const part of childrenOf(node)) {
      if (part.name === 'Identifier') names.push(this.#slice(part));
      else for (const entry of childrenOf(part)) this.#matcher(entry, names, matchers);
    }
    const [metric, second] = names;
    if (second !== undefined) {
      throw new PromqlFault(node.from, `the metric has two names, ${metric} and ${second}`);
    }
    return { type: 'selector', from: node.from, metric, matchers };
  }

  /** One entry between the braces: a name in quotes is the metric's. */
  #matcher(node: SyntaxNode, names: string[], matchers: Matcher[]): void {
    const [label, op, value] = childrenOf(node);
    if (node.name === 'QuotedLabelName') names.push(this.#label(node));
    if (!label || !op || !value) return;
    const matcher = {
      label: this.#label(label),
      op: this.#matchOp(op),
      value: this.#string(value),
    };
    if (matcher.label === '__name__' && (matcher.op === '=' || names.length > 0))
      names.push(matcher.value);
    else matchers.push(matcher);
  }

  #matchOp(node: SyntaxNode): Matcher['op'] {
    const op = this.#slice(node);
    if (op === '=' || op === '!=' || op === '=~' || op === '!~') return op;
    throw new PromqlFault(node.from, `"${op}" matches no labels`);
  }

  #label(node: SyntaxNode): string {
    return node.name === 'QuotedLabelName' ? this.#string(only(node)) : this.#slice(node);
  }

  #args(node: SyntaxNode): readonly Expr[] {
    const body = childrenOf(node).find(({ name }) => name === 'FunctionCallBody');
    return body ? childrenOf(body).map((arg) => this.expr(arg)) : [];
  }

  #name(node: SyntaxNode, part: string): string {
    const found = childrenOf(node).find(({ name }) => name === part);
    return found ? this.#slice(found).toLowerCase() : '';
  }

  #positive(node: SyntaxNode): number {
    const ms = this.#durationMs(node);
    if (ms > 0) return ms;
    throw new PromqlFault(node.from, `a range must be longer than 0, and is ${this.#slice(node)}`);
  }

  #durationMs(node: SyntaxNode): number {
    const parts = childrenOf(node);
    const [first, second] = parts;
    if (first && first.name === 'UnaryOp' && second && parts.length === 2) {
      return this.#durationMs(second) * (this.#slice(first) === '-' ? -1 : 1);
    }
    if (first && parts.length === 1) return this.#durationMs(first);
    const ms = parts.length === 0 ? parseDurationMs(this.#slice(node)) : undefined;
    if (ms !== undefined) return ms;
    const words = `${this.#slice(node)} is not a plain duration such as 5m; arithmetic in durations is experimental in PromQL`;
    throw new PromqlFault(node.from, words);
  }

  #string(node: SyntaxNode): string {
    return unquote(this.#slice(node), node.from);
  }

  #slice(node: SyntaxNode): string {
    return this.#text.slice(node.from, node.to);
  }
}

/** A number in any of PromQL's ways, a duration among them: it counts seconds. */
function parseNumber(text: string): number {
  const plain = text.toLowerCase().replaceAll('_', '');
  const unsigned = plain.replace(/^[+-]/, '');
  const sign = plain.startsWith('-') ? -1 : 1;
  if (unsigned === 'inf') return sign * Number.POSITIVE_INFINITY;
  if (unsigned === 'nan') return Number.NaN;
  const ms = /[smhdwy]$/.test(unsigned) ? parseDurationMs(unsigned) : undefined;
  if (ms !== undefined && !unsigned.startsWith('0x')) return (sign * ms) / 1000;
  // As in Go, a leading 0 makes an octal number.
  const isOctal = /^0[0-7]+$/.test(unsigned);
  return sign * (isOctal ? Number.parseInt(unsigned, 8) : Number(unsigned));
}

/** `1h30m`, or a number of seconds. */
function parseDurationMs(text: string): number | undefined {
  const written = durationMs(text);
  if (written !== undefined) return written;
  const seconds = Number(text.replaceAll('_', ''));
  return Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}

function syntaxFault(text: string, from: number, to: number): PromqlFault {
  const rest = text.slice(from);
  const start = from + rest.length - rest.trimStart().length;
  if (start >= text.length)
    return new PromqlFault(text.length, 'the query ends where something is missing');
  const before = /([A-Za-z_:][\w:]*)\s*$/.exec(text.slice(0, start))?.[1];
  if (text.charAt(start) === '(' && before !== undefined) {
    return new PromqlFault(start - before.length, `there is no function "${before}"`);
  }
  const found =
    to > start ? text.slice(start, to) : (/^(\w+|.)/su.exec(text.slice(start))?.[0] ?? '');
  return new PromqlFault(start, `did not expect ${JSON.stringify(found.slice(0, 40))}`);
}

function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.name !== 'LineComment') children.push(child);
  }
  return children;
}

function only(node: SyntaxNode): SyntaxNode {
  const [child] = childrenOf(node);
  if (!child) throw new PromqlFault(node.from, 'an expression is missing');
  return child;
}

function last(node: SyntaxNode): SyntaxNode {
  const child = childrenOf(node).at(-1);
  if (!child) throw new PromqlFault(node.from, 'an expression is missing');
  return child;
}
