/** What our HTTP servers answer: `/metrics`, `/healthz` and `/readyz`, as plain text. */

export interface TextAnswer {
  readonly type: 'text';
  readonly status: number;
  readonly text: string;
}

export type Answer =
  | TextAnswer
  | {
      readonly type: 'stream';
      readonly contentType: string;
      readonly chunks: AsyncIterable<string>;
    };

/** By path. */
export type Routes = Readonly<Record<string, () => Answer>>;

export interface MetricsText {
  readonly contentType: string;
  exposition(): AsyncIterable<string>;
}

/** One thing that must be so. */
export interface Check {
  readonly name: string;
  /** What is wrong, as a sentence; undefined while nothing is. */
  readonly problem: () => string | undefined;
}

export function metricsRoutes(metrics: MetricsText): Routes {
  return {
    '/metrics': () => ({
      type: 'stream',
      contentType: metrics.contentType,
      chunks: metrics.exposition(),
    }),
  };
}

/**
 * @param healthy whether a restart would help: what fails here has the pod killed
 * @param ready whether this process does its work, as leader or in waiting
 */
export function healthRoutes(healthy: readonly Check[], ready: readonly Check[]): Routes {
  return { '/healthz': () => report(healthy), '/readyz': () => report(ready) };
}

/** One line a check, as the API server's own `?verbose` prints them. */
function report(checks: readonly Check[]): Answer {
  const found = checks.map(({ name, problem }) => ({ name, words: problem() }));
  const lines = found.map(({ name, words }) =>
    words === undefined ? `[+] ${name}\n` : `[-] ${name}: ${words}\n`,
  );
  const isGood = found.every(({ words }) => words === undefined);
  return {
    type: 'text',
    status: isGood ? 200 : 503,
    text: `${lines.join('')}${isGood ? 'ok' : 'failed'}\n`,
  };
}
