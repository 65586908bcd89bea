/**
 * The stories of whole-decision.test.ts with a controller that is killed again and again: nothing comes out otherwise. Then
 * nobody is there for a while, and what is missing of the snapshots is counted and told.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '#runtime/clock.ts';
import { randomFrom } from './controller-victim.ts';
import type { Subject } from './resilience-world.ts';
import { keptOf, type Stage, startStage } from './whole-stage.ts';
import { stories } from './whole-stories.ts';

const buildsColdWithinMs = 40 * 60_000;
const seed = Number(process.env['RESILIENCE_SEED'] ?? systemClock.now() % 1_000_000);
const killForMs = 25_000;
const killsMin = 6;
const awayMs = 12_000;
const snapshotsEveryMs = 5_000;
/** A process that has just started reads what is kept before it keeps more. */
const readsWithinMs = 6_000;

let stage: Stage;
let lasting: Subject;

before(
  async () => {
    stage = await startStage();
  },
  { timeout: buildsColdWithinMs },
);

after(async () => {
  await stage.stop();
});

describe(`killed at random moments, a rollout (RESILIENCE_SEED=${seed})`, {
  concurrency: true,
  timeout: 150_000,
}, () => {
  const random = randomFrom(seed);

  before(async () => {
    // The stories must know from their first line that nobody is left alone here.
    stage.victim.kill();
    await stage.victim.settled();
  });

  for (const [says, name, story] of stories) test(says, async () => await story(stage, name));

  test('is killed often enough for this to mean something', async () => {
    const untilMs = systemClock.monotonic() + killForMs;
    while (systemClock.monotonic() < untilMs || stage.victim.kills < killsMin) {
      await systemClock.sleep(500 + 6_000 * random());
      stage.victim.kill();
      await stage.victim.settled();
    }
  });
});

describe('when nobody is there for a while', { timeout: 90_000 }, () => {
  let runId = '';
  let endedMs = 0;

  before(async () => {
    lasting = await stage.add(
      'lasting',
      {
        steps: [
          { name: 'half', at: '1s', weight: 50 },
          { name: 'full', at: '3s', weight: 100 },
        ],
        end: '32s',
      },
      {
        spec: {
          snapshots: { interval: `${snapshotsEveryMs / 1_000}s` },
          healthSuites: [
            {
              name: 'health',
              interval: '10m',
              timeout: '5s',
              http: { url: `${stage.siteUrl}/suite/lasting` },
            },
          ],
        },
      },
    );
    await stage.until(lasting, 'it is at full', ({ weight }) => weight === 100);
    await systemClock.sleep(snapshotsEveryMs);
    stage.victim.kill(awayMs);
    await stage.victim.settled();
    const status = await stage.until(lasting, 'it has ended', ({ phase }) => phase === 'Succeeded');
    runId = status.runId ?? '';
    endedMs = Date.parse(status.finishedAt ?? '');
  });

  test('the snapshots of that time are missing, those before and after it are there', async () => {
    const { startedAt = '', snapshots } = lasting.statuses.at(-1)?.status ?? {};
    const startedMs = Date.parse(startedAt);
    const expected = Math.floor((endedMs - startedMs) / snapshotsEveryMs);
    const { indices, segments } = await keptOf(stage, 'lasting', runId);
    const all = Array.from({ length: expected }, (_, at) => at + 1);
    const missing = all.filter((index) => !indices.includes(index));
    const { fromMs, toMs } = stage.victim.gaps.at(-1) ?? { fromMs: 0, toMs: 0 };
    const dueMs = (index: number) => startedMs + index * snapshotsEveryMs;
    const surely = all.filter(
      (index) => dueMs(index) > fromMs && dueMs(index) + snapshotsEveryMs / 2 < toMs,
    );
    assert.ok(surely.length >= 1);
    assert.ok(
      surely.every((index) => missing.includes(index)),
      `missing ${missing.join(', ')}`,
    );
    for (const index of missing) {
      const isExcused = dueMs(index) > fromMs - 3_000 && dueMs(index) < toMs + readsWithinMs;
      assert.ok(isExcused, `snapshot ${index} is missing without a reason`);
    }
    assert.deepEqual(
      [snapshots?.expected, snapshots?.missing],
      [expected, missing.length],
      `kept are ${indices.join(', ')}`,
    );
    for (const { metadata } of segments) {
      const owners = metadata['ownerReferences'] as readonly { readonly name: string }[];
      assert.equal(owners[0]?.name, 'lasting');
    }
  });

  test('a suite that has run before is not run anew: the next process knows the result', async () => {
    const { suiteRuns } = await keptOf(stage, 'lasting', runId);
    assert.equal(suiteRuns, 1);
  });

  test('the report says how many are missing, and when', async () => {
    const { snapshots: { expected = 0, missing = 0 } = {} } = lasting.statuses.at(-1)?.status ?? {};
    let markdown = '';
    for (let round = 0; round < 200; round += 1) {
      ({ markdown = '' } = await keptOf(stage, 'lasting', runId));
      if (markdown !== '' && !markdown.includes('before the run has ended')) break;
      await systemClock.sleep(100);
    }
    assert.match(markdown, /^# Success report: lasting v2/);
    const kept = expected - missing;
    assert.match(
      markdown,
      new RegExp(`${kept} of ${expected}, ${missing} missing \\(one every 5s\\)`),
    );
  });
});
