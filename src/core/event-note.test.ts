/** Events name a trigger, its value and its threshold, and leave its query to the status and the report. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutQueries } from './event-note.ts';

const said = 'errors 10% > 1% for 30s since 03:23:40';

const notes: readonly (readonly [string, string])[] = [
  [`${said} (query sum(rate(bad[5m])) / sum(rate(all[5m])))`, said],
  [
    `the service: ${said} (query up{job="a) (b"}); stable 10% > 1% too (query up)`,
    `the service: ${said}; stable 10% > 1% too`,
  ],
  [String.raw`${said} (query up{job=~"a\")"}); Rollback`, `${said}; Rollback`],
  // Cut off in the middle.
  [`${said} (query sum(rate(bad`, said],
  [
    'probe 0 == 0 for 10s (probe http://canary/health)',
    'probe 0 == 0 for 10s (probe http://canary/health)',
  ],
  ['preflight passed', 'preflight passed'],
];

for (const [note, brief] of notes) {
  test(`${note} is told as: ${brief}`, () => assert.equal(withoutQueries(note), brief));
}
