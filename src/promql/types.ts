/** What Prometheus refuses although the grammar allows it: wrong types, wrong modifiers (promql/parser/parse.go, checkAST). */
import { type BinaryParts, type Expr, type Matcher, PromqlFault } from './ast.ts';
import { aggregationSignature, type Signature, type ValueType } from './functions.ts';
import { checkRegex } from './regex.ts';

const COMPARISONS = new Set(['==', '!=', '>', '<', '>=', '<=']);
const SET_OPERATORS = new Set(['and', 'or', 'unless']);

/** As Prometheus' own messages call them. */
const NAMES: Readonly<Record<ValueType, string>> = {
  scalar: 'a scalar',
  vector: 'an instant vector',
  matrix: 'a range vector',
  string: 'a string',
};

export type TypeOf = (expr: Expr) => ValueType;

/** The type of an expression all of whose parts fit together; throws PromqlFault where they do not. */
export function createTypeOf(signatures: ReadonlyMap<string, Signature>): TypeOf {
  const typeOf: TypeOf = (expr) => {
    switch (expr.type) {
      case 'number':
        return 'scalar';
      case 'string':
        return 'string';
      case 'selector':
        checkSelector(expr.metric, expr.matchers, expr.from);
        return 'vector';
      case 'matrix':
        checkRangeOf(expr.of);
        typeOf(expr.of);
        return 'matrix';
      case 'subquery':
        expect(expr.of, ['vector'], 'a subquery');
        return 'matrix';
      case 'offset':
      case 'at':
        checkModified(expr.of, expr.type);
        return typeOf(expr.of);
      case 'paren':
        return typeOf(expr.of);
      case 'unary':
        return expect(expr.of, ['scalar', 'vector'], 'a sign');
      case 'binary':
        return typeOfBinary(expr, expr.from, typeOf);
      case 'aggregate':
        return call(expr.op, aggregationSignature(expr.op), expr.args, expr.from);
      default:
        return typeOfCall(expr.name, expr.args, expr.from);
    }
  };

  const typeOfCall = (name: string, args: readonly Expr[], from: number): ValueType => {
    const signature = signatures.get(name);
    if (!signature) throw new PromqlFault(from, `there is no function "${name}"`);
    const [first, labels] = args;
    if (name !== 'info' || !first || labels?.type !== 'selector') {
      return call(name, signature, args, from);
    }
    // The second argument of info() only lists labels: it may match everything.
    if (labels.metric !== undefined) {
      throw new PromqlFault(labels.from, 'info() takes label matchers only, without a metric name');
    }
    return call(name, signature, [first], from);
  };

  const call = (
    name: string,
    signature: Signature,
    args: readonly Expr[],
    from: number,
  ): ValueType => {
    const { argsMin, argsMax } = signature;
    if (args.length < argsMin || args.length > argsMax) {
      const wanted = argsMin === argsMax ? `${argsMin}` : `${argsMin} to ${argsMax}`;
      const counted = argsMax === Number.POSITIVE_INFINITY ? `at least ${argsMin}` : wanted;
      throw new PromqlFault(from, `${name}() takes ${counted} argument(s), not ${args.length}`);
    }
    args.forEach((arg, index) => {
      const wanted = signature.args[Math.min(index, signature.args.length - 1)];
      if (wanted) expect(arg, [wanted], `${name}()`);
    });
    return signature.returns;
  };

  const expect = (expr: Expr, wanted: readonly ValueType[], by: string): ValueType => {
    const type = typeOf(expr);
    if (wanted.includes(type)) return type;
    const names = wanted.map((one) => NAMES[one]).join(' or ');
    const hint = wanted.includes('matrix') && type === 'vector' ? '; add a range such as [5m]' : '';
    throw new PromqlFault(expr.from, `${by} needs ${names}, not ${NAMES[type]}${hint}`);
  };

  return typeOf;
}

function typeOfBinary(expr: BinaryParts, from: number, typeOf: TypeOf): ValueType {
  const { op, matching } = expr;
  const types = [expr.left, expr.right].map((side) => {
    const type = typeOf(side);
    if (type === 'scalar' || type === 'vector') return type;
    throw new PromqlFault(
      side.from,
      `"${op}" takes scalars and instant vectors, not ${NAMES[type]}`,
    );
  });
  const hasScalar = types.includes('scalar');
  const isScalar = !types.includes('vector');
  if (expr.bool && !COMPARISONS.has(op)) {
    throw new PromqlFault(from, `"bool" goes with comparisons only, not with "${op}"`);
  }
  if (isScalar && COMPARISONS.has(op) && !expr.bool) {
    throw new PromqlFault(from, `a comparison of two scalars needs "bool", as in "1 ${op} bool 2"`);
  }
  if (hasScalar && SET_OPERATORS.has(op)) {
    throw new PromqlFault(
      from,
      `"${op}" takes instant vectors, not scalars; use vector() around a number`,
    );
  }
  if (matching && hasScalar && matching.labels.length > 0) {
    throw new PromqlFault(from, '"on" and "ignoring" go with instant vectors on both sides only');
  }
  if (matching?.grouped && !hasScalar && SET_OPERATORS.has(op)) {
    throw new PromqlFault(from, `"group_left" and "group_right" do not go with "${op}"`);
  }
  const twice = matching?.on
    ? matching.labels.find((label) => matching.included.includes(label))
    : undefined;
  if (twice !== undefined) {
    throw new PromqlFault(from, `the label ${twice} stands in "on" and in the group as well`);
  }
  return isScalar ? 'scalar' : 'vector';
}

function checkSelector(
  metric: string | undefined,
  matchers: readonly Matcher[],
  from: number,
): void {
  let selects = metric !== undefined;
  for (const { op, value } of matchers) {
    if (op === '=' || op === '!=') {
      selects ||= op === '=' ? value !== '' : value === '';
      continue;
    }
    const regex = checkRegex(value);
    if (regex.type === 'invalid') {
      throw new PromqlFault(
        from,
        `the regular expression ${JSON.stringify(value)} is not valid: ${regex.message}`,
      );
    }
    selects ||= regex.type === 'unknown' || regex.matches('') === (op === '!~');
  }
  if (!selects) {
    throw new PromqlFault(
      from,
      'a selector without a metric name needs a matcher that does not match the empty string',
    );
  }
}

function checkRangeOf(of: Expr): void {
  if (of.type === 'selector') return;
  if (of.type === 'offset')
    throw new PromqlFault(of.from, '"offset" goes after the range, not before it');
  if (of.type === 'at') throw new PromqlFault(of.from, '"@" goes after the range, not before it');
  throw new PromqlFault(
    of.from,
    'a range goes with a plain selector; over an expression write a subquery such as [5m:1m]',
  );
}

/** `offset` and `@` follow a selector, a range or a subquery, each once, in either order. */
function checkModified(of: Expr, modifier: 'offset' | 'at'): void {
  const name = modifier === 'at' ? '@' : 'offset';
  let inner = of;
  while (inner.type === 'offset' || inner.type === 'at') {
    if (inner.type === modifier) throw new PromqlFault(of.from, `"${name}" stands twice`);
    inner = inner.of;
  }
  if (inner.type !== 'selector' && inner.type !== 'matrix' && inner.type !== 'subquery') {
    throw new PromqlFault(
      of.from,
      `"${name}" goes directly after a selector, a range or a subquery`,
    );
  }
}
