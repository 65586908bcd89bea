/** A health suite over HTTP: one POST that answers with the result once all tests have run. */
import type { SuiteRunner } from '#ports/suite-runner.ts';
import type { Web } from '#web/web.ts';
import { excerpt } from './suite-counts.ts';
import { readOutcome } from './suite-report.ts';

/** A JUnit file of ten thousand tests has about this size. */
const BYTES_MAX = 8 * 2 ** 20;

export function createHttpSuite(web: Pick<Web, 'ask'>): SuiteRunner {
  return {
    async run({ rollout, suite, runId }, signal) {
      if (suite.runner.type !== 'http') return { type: 'failed', message: 'it has no URL' };
      const { namespace, name } = rollout.metadata;
      const answer = await web.ask(
        {
          method: 'POST',
          url: suite.runner.url,
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, application/xml, text/xml',
          },
          body: JSON.stringify({ namespace, rollout: name, suite: suite.name, runId }),
          limitMs: suite.timeoutMs,
          bytesMax: BYTES_MAX,
        },
        signal,
      );
      if (answer.type !== 'answer') return { type: 'failed', message: answer.message };
      if (answer.status < 200 || answer.status > 299) {
        const words = excerpt(answer.text);
        const message = `it answered ${answer.status}${words === '' ? '' : `: ${words}`}`;
        return { type: 'failed', message };
      }
      if (answer.isCut) {
        return { type: 'failed', message: `its answer has more than ${BYTES_MAX} bytes` };
      }
      return readOutcome(answer.text, suite.knownFlaky);
    },
  };
}
