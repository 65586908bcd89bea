/**
 * What a real operator process does between the first second of a run and its report, one story each. They are played all
 * at once, with a controller that is left alone and with one that is killed again and again: nothing may come out otherwise.
 */
import assert from 'node:assert/strict';
import type { RolloutStatus } from '#api/status.ts';
import { systemClock } from '#runtime/clock.ts';
import { holdSeconds, ratioQuery, type Subject } from './resilience-world.ts';
import { keptOf, rolloutNamed, type Stage, statusOf } from './whole-stage.ts';

export type Story = (stage: Stage, name: string) => Promise<void>;

const toleranceMs = 2_000;
/** How late a busy machine may be. A hold that was lost would cost at least `holdSeconds`. */
const lateMaxMs = 1_000 * holdSeconds - 500;
/** Of triggers that look once a second at what happens between two looks. */
const lookMs = 1_000;

const plan = (half: number, full: number, end: number, more: object = {}) => ({
  steps: [
    { name: 'dark', at: '0s', weight: 0 },
    { name: 'half', at: `${half}s`, weight: 50 },
    { name: 'full', at: `${full}s`, weight: 100, ...more },
  ],
  end: `${end}s`,
});
const farAway = 3_600;

const isAtHalf = ({ weight, plan: points }: RolloutStatus) =>
  weight === 50 && points?.some(({ name, passedAt }) => name === 'half' && passedAt !== undefined);

const hasHold =
  (reason: string) =>
  ({ holds }: RolloutStatus) =>
    holds?.some((hold) => hold.reason === reason) === true;

async function atHalf(stage: Stage, subject: Subject): Promise<void> {
  await stage.until(subject, 'it is at half', (status) => isAtHalf(status) === true);
}

/** Canary turns bad now; traffic must be back when that has held for its time, by Prometheus's own account. */
async function backInTime(stage: Stage, subject: Subject): Promise<RolloutStatus> {
  const { world, victim } = stage;
  world.fail(subject.name, 0.2);
  const status = await stage.until(
    subject,
    'it is rolled back',
    ({ phase }) => phase === 'RolledBack',
  );
  const zeroMs = subject.weights.at(-1)?.seenAtMs ?? 0;
  const sinceMs = await world.overThresholdSince(subject.name, zeroMs);
  assert.ok(sinceMs !== undefined, `${subject.name} was over its threshold`);
  const dueMs = sinceMs + 1_000 * holdSeconds;
  assert.ok(zeroMs >= dueMs - toleranceMs, `${subject.name} went back ${dueMs - zeroMs} ms early`);
  const lateMs = victim.upBetween(dueMs, zeroMs);
  assert.ok(lateMs <= lateMaxMs, `${subject.name} went back ${lateMs} ms late`);
  assert.deepEqual(weightsOf(subject), [0, 50, 0]);
  return status;
}

const weightsOf = ({ weights }: Subject) => weights.map(({ weight }) => weight);

/** The first moment at which it was seen to have this weight. */
function seenAt({ weights }: Subject, wanted: number): number {
  return weights.find(({ weight }) => weight === wanted)?.seenAtMs ?? Number.NaN;
}

const approval = { quorum: 2, notBy: 'Author' };
const byCarol = { annotations: { 'genesis.dev/author': 'carol' } };

const waitsForApproval: Story = async (stage, name) => {
  const steps = [
    { name: 'dark', at: '0s', weight: 0 },
    { name: 'half', at: '2s', weight: 50, approval },
    { name: 'full', at: '1h', weight: 100 },
  ];
  const subject = await stage.add(name, { steps, end: '2h' }, byCarol);
  const approve = { rollout: name, decision: 'Approve', step: 'half' };
  const waiting = await stage.until(subject, 'it waits', hasHold('ApprovalRequired'));
  assert.equal(waiting.phase, 'Held');
  assert.match(waiting.message ?? '', /half needs 2 approvals and has none/);

  const forged = await stage.decide('bob', { ...approve, by: 'alice' });
  assert.equal(forged.outcome, 'refused by admission: 403');
  assert.match(forged.message, /spec.by must be your own name, bob; it is alice/);
  const own = await stage.decide('carol', approve);
  assert.equal(own.outcome, 'Refused');
  assert.match(own.message, /carol is an author of the change/);

  for (let time = 0; time < 2; time += 1) {
    assert.equal((await stage.decide('alice', approve)).outcome, 'Applied');
  }
  await stage.until(subject, 'one is counted', ({ message = '' }) =>
    /half needs 2 approvals and has 1 \(alice\)/.test(message),
  );
  assert.deepEqual(weightsOf(subject), [0]);
  const askedAtMs = systemClock.now();
  assert.equal((await stage.decide('bob', approve)).outcome, 'Applied');
  await atHalf(stage, subject);
  const lateMs = stage.victim.upBetween(askedAtMs, seenAt(subject, 50));
  assert.ok(lateMs <= lateMaxMs, `${name} went on ${lateMs} ms late`);
};

/** Closed since this minute began, until `seconds` from now. */
function closedFor(seconds: number) {
  const now = systemClock.now();
  const minute = new Date(now).getUTCMinutes();
  const untilMs = Math.ceil(now / 1_000 + seconds) * 1_000;
  const lasts = (untilMs - Math.floor(now / 60_000) * 60_000) / 1_000;
  const freeze = { name: 'night', cron: `${minute} * * * *`, duration: `${lasts}s` };
  return { untilMs, freeze: [{ ...freeze, reason: 'nobody is there' }] };
}

const isFrozenForAWhile: Story = async (stage, name) => {
  const { untilMs, freeze } = closedFor(14);
  const subject = await stage.add(name, { ...plan(2, farAway, farAway), freeze });
  const frozen = await stage.until(subject, 'it is frozen', hasHold('Frozen'), 20_000);
  assert.match(frozen.message ?? '', /frozen by night \(nobody is there\) until /);
  await atHalf(stage, subject);
  const seenMs = seenAt(subject, 50);
  assert.ok(seenMs >= untilMs, `${name} rose ${untilMs - seenMs} ms before the window closed`);
  const lateMs = stage.victim.upBetween(untilMs, seenMs);
  assert.ok(lateMs <= lateMaxMs, `${name} went on ${lateMs} ms late`);
};

const goesBackWhileWaiting: Story = async (stage, name) => {
  const subject = await stage.add(name, plan(2, 4, farAway, { approval }), byCarol);
  await stage.until(subject, 'it waits', hasHold('ApprovalRequired'));
  await backInTime(stage, subject);
};

const goesBackWhileFrozen: Story = async (stage, name) => {
  const schedule = plan(2, 6, farAway);
  const subject = await stage.add(name, schedule);
  await atHalf(stage, subject);
  const { freeze } = closedFor(600);
  await stage.world.plane.client.patch(rolloutNamed(name), { spec: { schedule: { freeze } } });
  await stage.until(subject, 'it is frozen', hasHold('Frozen'));
  await backInTime(stage, subject);
};

const goesBackWhilePaused: Story = async (stage, name) => {
  const subject = await stage.add(name, plan(2, farAway, farAway));
  await atHalf(stage, subject);
  const paused = await stage.decide('alice', { rollout: name, decision: 'Pause', reason: 'lunch' });
  assert.equal(paused.outcome, 'Applied');
  const status = await stage.until(subject, 'it is paused', ({ phase }) => phase === 'Paused');
  assert.match(status.message ?? '', /paused by alice: lunch/);
  await backInTime(stage, subject);
};

const goesBackUnderABrokenEdit: Story = async (stage, name) => {
  const subject = await stage.add(name, plan(2, farAway, farAway));
  await atHalf(stage, subject);
  const triggers = [{ name: 'none', severity: 'Critical', query: 'sum(', condition: '> 1' }];
  await stage.world.plane.client.patch(rolloutNamed(name), { spec: { triggers } });
  await stage.until(
    subject,
    'the edit is refused',
    ({ conditions }) =>
      conditions?.some(({ type, status }) => type === 'Accepted' && status === 'False') === true,
  );
  await backInTime(stage, subject);
};

const seconds = (text: number) => ({ condition: '== 0', for: `${text}s`, noDataFor: '30s' });

const goesBackByProbe: Story = async (stage, name) => {
  const probe = { url: `${stage.siteUrl}/health/${name}` };
  const trigger = { name: 'down', severity: 'Critical', probe, ...seconds(4) };
  const subject = await stage.add(name, plan(2, farAway, farAway), {
    spec: { triggers: [trigger] },
  });
  await goesBackWhenUnwell(stage, subject, 4_000, lookMs);
  assert.match(statusOf(subject).rollback?.message ?? '', /^down 0 == 0 for 4s since .*\(probe /);
};

const goesBackBySuite: Story = async (stage, name) => {
  const suite = {
    name: 'health',
    interval: '2s',
    timeout: '1s',
    http: { url: `${stage.siteUrl}/suite/${name}` },
  };
  const trigger = { name: 'pass-rate', severity: 'Critical', suite: 'health' };
  const subject = await stage.add(name, plan(2, farAway, farAway), {
    spec: {
      healthSuites: [suite],
      triggers: [{ ...trigger, condition: '< 95%', for: '4s', noDataFor: '30s' }],
    },
  });
  await goesBackWhenUnwell(stage, subject, 4_000, lookMs + 2_000);
  assert.match(statusOf(subject).rollback?.message ?? '', /^pass-rate 50% < 95% for 4s since /);
};

/**
 * A probe has no history that a next process could ask for, and a result of a suite is valid for three seconds here, so a hold
 * that a kill has interrupted may begin anew: then it goes back all the same, only later.
 */
async function goesBackWhenUnwell(
  stage: Stage,
  subject: Subject,
  forMs: number,
  seenWithinMs: number,
): Promise<void> {
  await atHalf(stage, subject);
  const fromMs = systemClock.now();
  stage.unwell.add(subject.name);
  await stage.until(subject, 'it is rolled back', ({ phase }) => phase === 'RolledBack');
  const tookMs = (subject.weights.at(-1)?.seenAtMs ?? 0) - fromMs;
  assert.ok(tookMs >= forMs - lookMs, `${subject.name} went back after ${tookMs} ms`);
  if (stage.victim.kills === 0) {
    const limitMs = forMs + seenWithinMs + lateMaxMs;
    assert.ok(tookMs <= limitMs, `${subject.name} went back after ${tookMs} ms`);
  }
  assert.deepEqual(weightsOf(subject), [0, 50, 0]);
}

const goesBackByAlerts: Story = async (stage, name) => {
  const matchers = ['severity="critical"', `service="${name}-canary"`];
  const trigger = { name: 'alerts', severity: 'Critical', alerts: { matchers } };
  const subject = await stage.add(name, plan(2, farAway, farAway), {
    spec: { triggers: [{ ...trigger, condition: '> 0', for: `${holdSeconds}s` }] },
  });
  await atHalf(stage, subject);
  stage.world.fail(name, 0.2);
  await stage.until(subject, 'it is rolled back', ({ phase }) => phase === 'RolledBack');
  const zeroMs = subject.weights.at(-1)?.seenAtMs ?? 0;
  const firing = `ALERTS{alertstate="firing",service="${name}-canary"}`;
  const sinceMs = await stage.world.trueSince(firing, zeroMs);
  const dueMs = (sinceMs ?? Number.NaN) + 1_000 * holdSeconds;
  const lateMs = stage.victim.upBetween(dueMs, zeroMs);
  assert.ok(zeroMs >= dueMs - toleranceMs, `${name} went back ${dueMs - zeroMs} ms early`);
  assert.ok(lateMs <= lateMaxMs, `${name} went back ${lateMs} ms late`);
};

const jobTemplate = {
  spec: {
    backoffLimit: 0,
    template: {
      spec: { restartPolicy: 'Never', containers: [{ name: 'restore', image: 'restore' }] },
    },
  },
};
const stageBudgetsMs = { StopTraffic: 60, Verify: 120, Restore: 300, Stabilize: 300, Report: 120 };

const goesBackThroughFiveStages: Story = async (stage, name) => {
  const criterion = { name: 'error-rate', ratio: ratioQuery('$(arm.service)') };
  const rollback = {
    health: { url: `${stage.siteUrl}/health/${name}` },
    hooks: [{ stage: 'Restore', jobTemplate }],
    baseline: [{ ...criterion, condition: '< 0.5%', for: '3s' }],
  };
  const subject = await stage.add(name, plan(2, farAway, farAway), {
    spec: { rollback, snapshots: { interval: '2s', keepRuns: 1 } },
  });
  await atHalf(stage, subject);
  const { rollback: back, runId = '' } = await backInTime(stage, subject);
  const seen = JSON.stringify(back);
  assert.equal(back?.outcome, 'Succeeded', seen);
  assert.equal(back.withinSla, true);
  assert.deepEqual(
    back.stages.map((one) => `${one.name} ${one.outcome}`),
    Object.keys(stageBudgetsMs).map((one) => `${one} Succeeded`),
    seen,
  );
  for (const [index, budget] of Object.values(stageBudgetsMs).entries()) {
    const { startedAt, finishedAt = '' } = back.stages[index] ?? { startedAt: '' };
    const tookMs = Date.parse(finishedAt) - Date.parse(startedAt);
    assert.ok(tookMs >= 0 && tookMs <= 1_000 * budget, seen);
  }
  assert.deepEqual(
    back.hooks?.map((hook) => `${hook.stage} ${hook.outcome}`),
    ['Restore Succeeded'],
  );
  await isNamed(stage, subject, `configmap/${name}-${runId}-report`);
  const { markdown = '', data = '' } = await finalReport(stage, name, runId);
  assert.match(markdown, new RegExp(`^# Incident report: ${name} v2\n\n\\*\\*RolledBack`));
  assert.match(markdown, /\| Stabilize \| Succeeded \|/);
  assert.match(markdown, /error-rate .*% > 0.5% for 6s since/);
  assert.equal((JSON.parse(data) as { readonly runId: string }).runId, runId);
  await nextRunReplacesEvidence(stage, subject, runId);
};

/** A process that has just started names the report once it knows what is kept. */
async function isNamed(stage: Stage, subject: Subject, report: string): Promise<void> {
  await stage.until(
    subject,
    'history names its report',
    ({ history }) => history?.[0]?.report === report,
  );
}

/** The last word follows the end of the run by moments. */
async function finalReport(stage: Stage, name: string, runId: string) {
  for (let round = 0; round < 400; round += 1) {
    const kept = await keptOf(stage, name, runId);
    if (kept.markdown !== undefined && !kept.markdown.includes('before the run has ended')) {
      return kept;
    }
    await systemClock.sleep(100);
  }
  return assert.fail(`there is no last report of ${name}`);
}

/** With `keepRuns: 1` what was kept of a run goes when the next one is under way. */
async function nextRunReplacesEvidence(stage: Stage, subject: Subject, old: string): Promise<void> {
  const { name } = subject;
  stage.world.fail(name, 0);
  await stage.world.plane.client.patch(rolloutNamed(name), { spec: { revision: 'v3' } });
  const { runId = '' } = await stage.until(
    subject,
    'the next run is under way',
    (status) => status.runId !== old && isAtHalf(status) === true,
  );
  for (let round = 0; round < 400; round += 1) {
    const [before, now] = await Promise.all([keptOf(stage, name, old), keptOf(stage, name, runId)]);
    if (before.markdown === undefined && before.segments.length === 0 && now.indices.length > 0) {
      return;
    }
    await systemClock.sleep(100);
  }
  assert.fail(`the evidence of ${name}'s run ${old} is still there`);
}

const succeeds: Story = async (stage, name) => {
  const criterion = { name: 'error-rate', metric: 'error-rate', condition: '< 0.1%', for: '2s' };
  const require = [
    'NoCriticalTriggers',
    'NoCriticalAlerts',
    'NoRollbacks',
    'MonitoringOperational',
    // Where nobody was there to take them, some are missing, and it would be right to say so.
    ...(stage.victim.kills === 0 ? ['SnapshotsComplete'] : []),
  ];
  const success = { criteria: [criterion], require, thenMonitorFor: '3s' };
  // Always has a reading: of a rate the first is missed, and of a run of seconds that is more than a hundredth.
  const alerts = { matchers: [`service="${name}-canary"`] };
  const trigger = { name: 'alerts', severity: 'Critical', alerts, condition: '> 0', for: '2s' };
  const subject = await stage.add(name, plan(2, 8, 16), {
    spec: { triggers: [trigger], success, snapshots: { interval: '5s' } },
  });
  await stage.until(subject, 'it is watched', ({ phase }) => phase === 'Monitoring');
  const status = await stage.until(
    subject,
    'it has succeeded',
    ({ phase }) => phase === 'Succeeded',
  );
  assert.deepEqual(weightsOf(subject), [0, 50, 100]);
  assert.equal(status.success?.outcome, 'Met');
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  assert.equal(ready?.status, 'True');
  const { runId = '' } = status;
  await isNamed(stage, subject, `configmap/${name}-${runId}-report`);
  const { markdown = '' } = await finalReport(stage, name, runId);
  assert.match(markdown, new RegExp(`^# Success report: ${name} v2\n\n\\*\\*Succeeded`));
  assert.match(markdown, /\*\*Met\*\* at /);
};

const isExtendedOnceThenHeld: Story = async (stage, name) => {
  const criterion = { name: 'few-errors', metric: 'error-rate', condition: '< 0.1%', for: '2s' };
  const success = { criteria: [criterion], onFailure: 'Extend', extendBy: '8s' };
  const subject = await stage.add(name, plan(1, 4, 12), { spec: { success } });
  await atHalf(stage, subject);
  // Over what success wants, under what rolls back.
  stage.world.fail(name, 0.003);
  const held = await stage.until(
    subject,
    'it is held after an extension',
    ({ phase, extensions }) => phase === 'Held' && extensions?.length === 1,
  );
  assert.equal(held.success?.outcome, 'Missed');
  assert.match(held.success?.missed[0] ?? '', /^few-errors 0.\d+% at worst, not < 0.1%, for /);
  assert.match(held.message ?? '', /few-errors/);
  assert.deepEqual(weightsOf(subject), [0, 50, 100]);
};

export const stories: readonly (readonly [string, string, Story])[] = [
  ['waits for two people, of whom none made the change', 'approved', waitsForApproval],
  ['is frozen for a while, and goes on when that is over', 'frozen', isFrozenForAWhile],
  ['goes back while it waits for an approval', 'waiting', goesBackWhileWaiting],
  ['goes back while it is frozen', 'icy', goesBackWhileFrozen],
  ['goes back while it is paused', 'paused', goesBackWhilePaused],
  ['goes back under a broken edit', 'edited', goesBackUnderABrokenEdit],
  ['goes back when a probe finds it down', 'probed', goesBackByProbe],
  ['goes back when a health suite fails', 'suite', goesBackBySuite],
  ['goes back when alerts fire', 'alerts', goesBackByAlerts],
  ['goes back through five stages, and reports', 'staged', goesBackThroughFiveStages],
  ['succeeds when its criteria are met, and reports', 'good', succeeds],
  ['is extended once when they are missed, then held', 'extended', isExtendedOnceThenHeld],
];
