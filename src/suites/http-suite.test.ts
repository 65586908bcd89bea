/** Health suites over HTTP, against a real server: the contract of all runners, and what is HTTP's own. */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { systemClock } from '#runtime/clock.ts';
import { suiteRunnerContract } from '#test/contracts/suite-runner.contract.ts';
import { createWeb } from '#web/web.ts';
import { createHttpSuite } from './http-suite.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(answer: () => Answer) {
  const server = createServer((request, response) => answer()(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const web = createWeb(systemClock, { allowLoopback: true });
  return {
    url: `http://127.0.0.1:${port}/run`,
    runner: createHttpSuite(web),
    close: async () => {
      await web.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

suiteRunnerContract('over HTTP', async () => {
  let answer: Answer = () => undefined;
  const { runner, url, close } = await serve(() => answer);
  return {
    runner,
    how: { type: 'http', url },
    namespace: 'shop',
    behave: (as) => {
      answer = (request, response) => {
        if (as.type === 'answers') response.end(as.text);
        else if (as.type === 'crashes') request.socket.destroy();
      };
    },
    close,
  };
});

const order = (url: string, timeoutMs = 5_000) => ({
  rollout: {
    apiVersion: 'genesis.dev/v1alpha1',
    kind: 'GenesisRollout',
    metadata: { name: 'checkout', namespace: 'shop' },
  },
  suite: {
    name: 'health',
    intervalMs: 60_000,
    timeoutMs,
    runner: { type: 'http', url } as const,
    knownFlaky: [],
  },
  runId: 'run-1',
  dueAtMs: 0,
});

describe('over HTTP', () => {
  test('it is a POST that says for whom', async () => {
    let seen: unknown;
    const world = await serve(() => async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      seen = [request.method, request.headers['content-type'], JSON.parse(body)];
      response.end('{"passed":1}');
    });
    await world.runner.run(order(world.url), new AbortController().signal);
    assert.deepEqual(seen, [
      'POST',
      'application/json',
      { namespace: 'shop', rollout: 'checkout', suite: 'health', runId: 'run-1' },
    ]);
    await world.close();
  });

  const rows = [
    [503, 'overloaded', /it answered 503: overloaded/],
    [302, '', /it answered 302/],
    [200, '', /the answer is empty/],
    [200, 'x'.repeat(9 * 2 ** 20), /more than 8388608 bytes/],
  ] as const;
  for (const [status, text, says] of rows) {
    test(`${status} with ${text.length} bytes is no result`, async () => {
      const world = await serve(() => (_, response) => response.writeHead(status).end(text));
      const outcome = await world.runner.run(order(world.url), new AbortController().signal);
      assert.match(outcome.type === 'failed' ? outcome.message : '', says);
      await world.close();
    });
  }

  test('no answer within its timeout is no result', async () => {
    const world = await serve(() => () => undefined);
    const outcome = await world.runner.run(order(world.url, 200), new AbortController().signal);
    assert.match(outcome.type === 'failed' ? outcome.message : '', /did not answer within 0\.2 s/);
    await world.close();
  });
});
