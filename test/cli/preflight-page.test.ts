/**
 * The page of `kubectl genesis preflight` against golden files:
 * `UPDATE_GOLDEN=1 npm run test:unit -- cli/preflight-page` writes them anew.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { inkFor } from '#cli/page/ink.ts';
import { reportText } from '#cli/preflight/report-text.ts';
import { verdictOf } from '#cli/preflight/verdict.ts';
import { type ReportWorld, reportWorlds, services } from './preflight-reports.ts';

const golden = join(import.meta.dirname, '../golden/preflight');
const plain = inkFor({ isTty: false, isPlain: false, env: {} });
const coloured = inkFor({ isTty: true, isPlain: false, env: {} });

function page({ report, weight, phase, holds }: ReportWorld, ink = plain, width = 80): string {
  const source = 'the spec that the run follows (generation 3)';
  const subject = { namespace: 'shop', name: 'checkout', weight, source, phase, holds };
  const places = { prometheus: 'http://prometheus.monitoring.svc:9090 (through the API server)' };
  return reportText({ subject, report, services, unreached: [], places, width, ink });
}

describe('the page of a preflight', () => {
  for (const [name, world] of Object.entries(reportWorlds)) {
    test(`that is ${name.replaceAll('-', ' ')} reads as its golden file`, () => {
      const text = page(world);
      const path = join(golden, `${name}.txt`);
      if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(path, text);
      assert.equal(text, readFileSync(path, 'utf8'));
    });

    test(`that is ${name.replaceAll('-', ' ')} is the same in colour, and fits`, () => {
      const text = page(world, coloured);
      assert.notEqual(text, stripVTControlCharacters(text));
      assert.equal(stripVTControlCharacters(text), page(world));
      for (const width of [60, 80, 110]) {
        const widest = Math.max(
          ...page(world, plain, width)
            .split('\n')
            .map((one) => one.length),
        );
        assert.ok(widest <= width, `${widest} > ${width}`);
      }
    });
  }

  test('has signs of ASCII where the locale has no others', () => {
    const ink = inkFor({ isTty: false, isPlain: false, env: { LC_ALL: 'C' } });
    for (const world of Object.values(reportWorlds)) assert.match(page(world, ink), /^[\n -~]*$/);
  });
});

describe('the verdict', () => {
  const rows: readonly [world: string, exit: number, says: RegExp][] = [
    ['all-fine', 0, /^All is well: 8 links are fine\.$/],
    ['without-traffic', 0, /^All is well: 5 links are fine; no traffic is expected at 1\.$/],
    ['broken', 5, /^Preflight fails: 2 links are broken: metric of trigger error-rate, panel of /],
    ['cannot-be-told', 0, /^Nothing is broken, but not all is proved: .*; 1 cannot be told; 1 pie/],
    ['nothing-to-check', 0, /^There is nothing to check/],
    ['prometheus-down', 5, /^Preflight fails: 1 link is broken: prometheus of every query\.$/],
  ];
  for (const [name, exit, says] of rows) {
    test(`of one that is ${name.replaceAll('-', ' ')} ends with ${exit}`, () => {
      const world = reportWorlds[name];
      assert.ok(world !== undefined);
      const verdict = verdictOf(world.report);
      assert.equal(verdict.exit, exit);
      assert.match(verdict.text, says);
    });
  }
});
