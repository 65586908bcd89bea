/** Random expressions, many of them wrong by types or modifiers, to hold our check against the real parser. */
import * as fc from 'fast-check';

const oneOf = (words: string): fc.Arbitrary<string> => fc.constantFrom(...words.split('  '));

const leaf = oneOf(
  'a  b{x="1"}  1  0.5  {a=~"x.*"}  m:r  sum  "s"  c{x!="",y=~"z|w"}  {}  by  inf  start  bool  a{on="1"}  -1  5m',
);
const operator = oneOf(
  '+  -  *  /  %  ^  ==  >  <=  and  or  unless  atan2  > bool  + bool  * on(x)  / ignoring(y) group_left(z)  + group_left  and on(x)  - on() group_right  or on(x) group_left  != on(x,y,) group_left()',
);
const aggregation = oneOf(
  'sum  avg by (x)  topk  quantile  count_values  max without(y)  min by ()',
);
const called = oneOf(
  'rate  abs  hour  scalar  vector  absent  sum_over_time  round  time  histogram_quantile  label_join  timestamp  irate  nosuch',
);
const modifier = oneOf(
  '[5m]  [5m:]  [1h:1m]  [0s]  offset 5m  offset -1h  @ 5  [5m:] @ end()  [5m] offset 1m  [5m] @ start()  offset 5m @ 3  [5m:] @ 3 offset 1h',
);

const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const part = tie('expression');
  return {
    expression: fc.oneof(
      { maxDepth: 4, depthIdentifier: 'promql' },
      leaf,
      fc.tuple(part, operator, part).map((words) => words.join(' ')),
      fc.tuple(aggregation, part).map(([name, of]) => `${name}(${of})`),
      fc.tuple(aggregation, part, part).map(([name, one, two]) => `${name}(${one}, ${two})`),
      fc
        .tuple(called, fc.array(part, { maxLength: 3 }))
        .map(([name, of]) => `${name}(${of.join(', ')})`),
      fc.tuple(part, modifier).map((words) => words.join(' ')),
      part.map((of) => `(${of})`),
      fc.tuple(fc.constantFrom('-', '+'), part).map((words) => words.join('')),
    ),
  };
});

export function randomQueries(count: number, seed: number): readonly string[] {
  return fc.sample(expression, { numRuns: count, seed });
}
