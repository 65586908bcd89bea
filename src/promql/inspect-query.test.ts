import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspectQuery } from './inspect-query.ts';

describe('a query of a spec', () => {
  test('is told how far back it looks, placeholders and all', () => {
    const facts = inspectQuery('sum(rate(x{service="$(arm.service)"}[5m] offset 1m))');
    assert.equal(facts.type === 'ok' && facts.longestRangeMs, 6 * 60_000);
  });

  test('that fixes its time is refused, because nothing could be held under it', () => {
    const table = ['up @ 1600000000', 'rate(x[5m] @ end())', 'sum(x @ start()) > 1'];
    for (const query of table) {
      const facts = inspectQuery(query);
      assert.match(
        facts.type === 'invalid' ? facts.message : 'accepted',
        /modifier @ .* use offset/,
        query,
      );
    }
  });
});
