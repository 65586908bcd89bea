/** What is declared of a metric, for `/metrics` and for the reference. */

interface Declared {
  readonly help: string;
  readonly labels: readonly string[];
}

export type MetricDeclaration =
  | (Declared & { readonly type: 'counter' | 'gauge' })
  | (Declared & { readonly type: 'histogram'; readonly buckets: readonly number[] });
