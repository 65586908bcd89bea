/** Our check of PromQL against the real Prometheus' own parser: what one accepts the other accepts, what one refuses the other refuses. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { checkPromql } from '#promql/check.ts';
import { startPrometheus } from '#scripts/testbed/index.ts';
import { accepted, refused, stricter, withoutNumbers } from '#test/prometheus/promql-table.ts';
import { randomQueries } from '#test/prometheus/random-promql.ts';

let prometheus: Awaited<ReturnType<typeof startPrometheus>>;
before(async () => {
  prometheus = await startPrometheus();
});
after(() => prometheus.stop());

/** Undefined when Prometheus parses the query, else why not. */
async function refusal(query: string): Promise<string | undefined> {
  const response = await fetch(`${prometheus.url}/api/v1/format_query`, {
    method: 'POST',
    body: new URLSearchParams({ query }),
    signal: AbortSignal.timeout(5_000),
  });
  const { status, error } = (await response.json()) as { status: string; error?: string };
  return status === 'success' ? undefined : (error ?? status);
}

describe('the table of queries is what the real Prometheus says', () => {
  for (const query of accepted) {
    test(`it accepts ${JSON.stringify(query)}`, async () => {
      assert.equal(await refusal(query), undefined);
      if (!withoutNumbers.includes(query)) assert.equal(checkPromql(query).type, 'ok');
    });
  }
  for (const query of refused) {
    test(`it refuses ${JSON.stringify(query)}`, async () => {
      assert.notEqual(await refusal(query), undefined);
      assert.equal(checkPromql(query).type, 'invalid');
    });
  }
  for (const query of stricter) {
    test(`it accepts, and we do not, ${JSON.stringify(query)}`, async () => {
      assert.equal(await refusal(query), undefined);
      assert.equal(checkPromql(query).type, 'invalid');
    });
  }
});

test('random expressions are judged alike', async () => {
  let acceptedCount = 0;
  for (const query of randomQueries(500, 20_261_122)) {
    const theirs = await refusal(query);
    const ours = checkPromql(query);
    const weAccept = ours.type === 'ok' || /gives a (range|string)/.test(ours.message);
    const words = ours.type === 'ok' ? theirs : ours.message;
    assert.equal(weAccept, theirs === undefined, `${query}: ${words}`);
    if (weAccept) acceptedCount += 1;
  }
  // Both kinds must have been met often, or nothing was compared.
  assert.ok(acceptedCount > 50 && acceptedCount < 450, `${acceptedCount} accepted`);
});
