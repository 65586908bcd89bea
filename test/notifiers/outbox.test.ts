/** The outbox in virtual time: what is told, to whom, once; over restarts, failures and channels that hang. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutStatus, TriggerStatus } from '#api/status.ts';
import { toIso } from '#core/time.ts';
import { MINUTE, SECOND } from '#test/builders.ts';
import { OutboxWorld, twoDays, type WorldOptions } from './outbox-world.ts';

const start = Date.UTC(2026, 10, 22, 0, 0, 1);
const at = (ms: number) => toIso(start + ms);

function status(more: Partial<RolloutStatus> = {}): RolloutStatus {
  return {
    runId: 'run-1',
    revision: 'v2',
    startedAt: at(0),
    phase: 'Progressing',
    message: 'on its way',
    ...more,
  };
}

function trigger(state: TriggerStatus['state'], more: Partial<TriggerStatus> = {}): TriggerStatus {
  return { name: 'errors', severity: 'Critical', state, message: `errors is ${state}`, ...more };
}

const firing = (more: Partial<TriggerStatus> = {}) =>
  status({ triggers: [trigger('Firing', { firingAt: at(0), ...more })] });

async function worldWith(options: WorldOptions, ...states: readonly RolloutStatus[]) {
  const world = new OutboxWorld(options);
  for (const one of states) {
    world.look(one);
    await world.pass(SECOND);
  }
  return world;
}

describe('what is told', () => {
  const rows: readonly (readonly [string, readonly RolloutStatus[], readonly string[]])[] = [
    ['a run that starts, once', [status(), status(), status({ message: 'other' })], ['RunStarted']],
    [
      'steps and checkpoints as they are passed',
      [
        status({
          plan: [
            { name: 'half', kind: 'Step', dueAt: at(0), passedAt: at(1), weight: 50 },
            { name: 'day-one', kind: 'Checkpoint', dueAt: at(5), passedAt: at(6) },
            { name: 'full', kind: 'Step', dueAt: at(9), weight: 100 },
          ],
        }),
      ],
      ['RunStarted', 'StepEntered half', 'CheckpointPassed day-one'],
    ],
    [
      'a trigger that goes pending, fires and resolves',
      [
        status({ triggers: [trigger('Pending', { activeAt: at(0) })] }),
        firing(),
        status({ triggers: [trigger('Inactive')] }),
      ],
      ['RunStarted', 'TriggerPending errors', 'TriggerFiring errors', 'TriggerResolved errors'],
    ],
    [
      'a hold and its end',
      [
        status({ holds: [{ reason: 'ChainBroken', by: 'errors', since: at(0), message: 'gone' }] }),
        status({ holds: [] }),
      ],
      ['RunStarted', 'Held errors', 'Released errors'],
    ],
    [
      'one hold for a reason, however many triggers say it',
      [
        status({
          holds: ['a', 'b', 'c'].map((by) => ({
            reason: 'PrometheusDown',
            by,
            since: at(0),
            message: 'down',
          })),
        }),
      ],
      ['RunStarted', 'Held a'],
    ],
    [
      'a pause and its end',
      [
        status({ holds: [{ reason: 'Paused', by: 'alice', since: at(0), message: 'paused' }] }),
        status({ holds: [] }),
      ],
      ['RunStarted', 'Paused alice', 'Resumed alice'],
    ],
    [
      'that a step waits for people',
      [
        status({
          holds: [{ reason: 'ApprovalRequired', by: 'full', since: at(0), message: 'needs 1' }],
        }),
      ],
      ['RunStarted', 'ApprovalNeeded full'],
    ],
    [
      'a checkpoint that was not passed',
      [
        status({
          holds: [{ reason: 'CheckpointFailed', by: 'day-one', since: at(0), message: 'missed' }],
        }),
      ],
      ['RunStarted', 'CheckpointFailed day-one'],
    ],
    [
      'another writer',
      [status({ routes: [{ kind: 'HTTPRoute', name: 'web', drift: 1, weight: 30 }] })],
      ['RunStarted', 'DriftDetected HTTPRoute/web'],
    ],
    [
      'success',
      [status(), status({ phase: 'Succeeded', finishedAt: at(9), message: 'v2 has succeeded' })],
      ['RunStarted', 'Succeeded'],
    ],
  ];
  for (const [sentence, states, expected] of rows) {
    test(sentence, async () => {
      const world = await worldWith({}, ...states);
      assert.deepEqual(world.told(), expected);
    });
  }

  test('a rollback: begun, stuck every time it is paged, finished', async () => {
    const stage = { name: 'StopTraffic', startedAt: at(0), outcome: 'Running', message: 'going' };
    const rollback = {
      trigger: 'errors',
      reason: 'TriggerFired',
      message: 'errors 7% > 0.5%',
      startedAt: at(0),
      slaDeadline: at(900),
      stages: [stage],
    };
    const back = (more: object) =>
      firing2({ phase: 'RollingBack', rollback: { ...rollback, ...more } });
    const firing2 = (more: Partial<RolloutStatus>) => ({ ...firing(), ...more });
    const done = { completedAt: at(60_000), withinSla: true, outcome: 'Succeeded' };
    const world = await worldWith(
      {},
      status(),
      back({}),
      back({ pagedAt: at(10) }),
      back({ pagedAt: at(20) }),
      { ...back({ pagedAt: at(20), ...done }), phase: 'RolledBack', finishedAt: at(60_000) },
    );
    assert.deepEqual(world.told(), [
      'RunStarted',
      'TriggerFiring errors',
      'RollbackStarted errors',
      'RollbackStuck errors',
      'RollbackStuck errors',
      'RollbackFinished errors',
    ]);
    const last = world.channel().sent.at(-1);
    assert.equal(last?.incident?.state, 'Closed');
    assert.match(last?.text ?? '', /^rolled back in 1m0s: errors 7% > 0\.5%$/);
  });

  test('the sentence is the decision’s own', async () => {
    const world = await worldWith(
      {},
      firing({ message: 'errors 7.2% > 0.5% for 5m0s since 12:04:10' }),
    );
    assert.equal(world.channel().sent[1]?.text, 'errors 7.2% > 0.5% for 5m0s since 12:04:10');
  });

  test('a rollout that was there before us is not told its past, but what is open', async () => {
    const world = new OutboxWorld();
    await world.pass(60 * MINUTE);
    world.look(firing());
    await world.pass(SECOND);
    assert.deepEqual(world.told(), ['TriggerFiring errors']);
  });
});

describe('who is told', () => {
  const channels = ['chat', 'pager', 'owner'];

  test('only what was asked for, from the severity that was asked for', async () => {
    const world = await worldWith(
      {
        channels,
        notify: [
          { channel: 'chat', events: ['RunStarted'] },
          { channel: 'pager', events: ['TriggerFiring'], minSeverity: 'Critical' },
        ],
      },
      status({
        triggers: [
          trigger('Firing', { firingAt: at(0) }),
          trigger('Firing', { name: 'slow', severity: 'Warning', firingAt: at(0) }),
        ],
      }),
    );
    assert.deepEqual(world.told('chat'), ['RunStarted']);
    assert.deepEqual(world.told('pager'), ['TriggerFiring errors']);
    assert.deepEqual(world.told('owner'), []);
  });

  test('a rollout without spec.notify has the default', async () => {
    const world = await worldWith(
      {
        channels,
        notify: [],
        routing: { default: [{ channel: 'owner', events: ['RunStarted'] }] },
      },
      firing(),
    );
    assert.deepEqual(world.told('owner'), ['RunStarted']);
  });

  const notified = { responses: [{ action: 'Notify', rung: 'Notify', at: at(0) }] };
  const withResponder = (responder: string) => {
    const world = new OutboxWorld();
    const [first] = world.run.triggers;
    assert.ok(first);
    return { ...world.run, triggers: [{ ...first, responder }] };
  };

  test('a rung that notifies calls the responder', async () => {
    const world = await worldWith(
      {
        channels,
        notify: [{ channel: 'chat', events: ['RunStarted'] }],
        run: withResponder('hudson'),
        routing: { responders: { hudson: ['pager'] } },
      },
      firing(notified),
    );
    assert.deepEqual(world.told('pager'), ['TriggerFiring errors']);
    assert.deepEqual(world.told('owner'), []);
  });

  test('a responder whom nobody knows is the release owner', async () => {
    const world = await worldWith(
      {
        channels,
        notify: [{ channel: 'chat', events: ['RunStarted'] }],
        run: withResponder('nobody'),
        routing: { releaseOwner: ['owner'] },
      },
      firing(notified),
    );
    assert.deepEqual(world.told('owner'), ['TriggerFiring errors']);
  });

  test('who has asked and is called too is told once', async () => {
    const world = await worldWith(
      {
        channels,
        notify: [{ channel: 'pager' }],
        run: withResponder('hudson'),
        routing: { responders: { hudson: ['pager'] } },
      },
      firing(notified),
    );
    assert.deepEqual(world.told('pager'), ['RunStarted', 'TriggerFiring errors']);
  });

  test('a hold that pages calls the release owner', async () => {
    const world = await worldWith(
      {
        channels,
        notify: [{ channel: 'chat', events: ['Succeeded'] }],
        routing: { releaseOwner: ['owner'] },
      },
      status({
        holds: [{ reason: 'StableDown', by: 'stable-down', since: at(0), message: 'down' }],
      }),
    );
    assert.deepEqual(world.told('owner'), ['Held stable-down']);
  });

  test('a channel that keeps incidents hears of the end without having asked', async () => {
    const world = await worldWith(
      {
        channels: ['pager'],
        incidentChannels: ['pager'],
        notify: [{ channel: 'pager', events: ['TriggerFiring'] }],
      },
      firing(),
      status({ triggers: [trigger('Inactive')] }),
    );
    assert.deepEqual(
      world.channel('pager').sent.map(({ incident }) => incident?.state),
      ['Open', 'Closed'],
    );
    const keys = new Set(world.channel('pager').sent.map(({ incident }) => incident?.key));
    assert.equal(keys.size, 1);
  });

  for (const [sentence, end] of [
    ['of the run', status({ phase: 'Succeeded', finishedAt: at(5) })],
    ['that a newer run makes', status({ runId: 'run-2', revision: 'v3' })],
  ] as const) {
    test(`the end ${sentence} closes what is open, under the same key`, async () => {
      const world = await worldWith(
        {
          channels: ['pager'],
          incidentChannels: ['pager'],
          notify: [{ channel: 'pager', events: ['TriggerFiring'] }],
        },
        firing(),
        end,
      );
      const [opened, closed, ...rest] = world.channel('pager').sent;
      assert.equal(closed?.incident?.state, 'Closed');
      assert.equal(closed?.incident?.key, opened?.incident?.key);
      assert.equal(rest.length, 0);
    });
  }

  test('the deletion of the rollout closes what is open', async () => {
    const world = await worldWith({ channels: ['pager'], incidentChannels: ['pager'] }, firing());
    world.outbox.forget({ namespace: 'shop', name: 'checkout' });
    await world.pass(SECOND);
    assert.equal(world.channel('pager').sent.at(-1)?.incident?.state, 'Closed');
    assert.equal(world.channel('pager').sent.at(-1)?.text, 'the rollout was deleted');
  });
});

describe('nobody has answered', () => {
  const options: WorldOptions = {
    channels: ['chat', 'owner'],
    notify: [{ channel: 'chat', events: ['TriggerFiring', 'TriggerResolved'] }],
    routing: { releaseOwner: ['owner'] },
    schedule: twoDays,
  };

  test('a critical one within five minutes: the release owner is paged, once', async () => {
    const world = await worldWith(options, firing());
    await world.pass(4 * MINUTE + 50 * SECOND);
    assert.deepEqual(world.told('owner'), []);
    await world.pass(20 * SECOND);
    assert.deepEqual(world.told('owner'), ['ResponseOverdue errors']);
    await world.pass(20 * MINUTE);
    assert.equal(world.told('owner').length, 1);
  });

  test('then everybody who was told is told again at every look', async () => {
    const world = await worldWith(options, firing());
    await world.pass(36 * MINUTE);
    assert.deepEqual(world.told('chat'), ['TriggerFiring errors', 'TriggerFiring errors']);
    assert.match(world.channel('chat').sent[1]?.title ?? '', /unanswered for 35m/);
    assert.deepEqual(world.told('owner'), ['ResponseOverdue errors', 'TriggerFiring errors']);
    await world.pass(30 * MINUTE);
    assert.equal(world.told('chat').length, 3);
  });

  test('an acknowledgement in time stops it', async () => {
    const world = await worldWith(
      options,
      firing(),
      firing({ acknowledgedBy: 'alice', acknowledgedAt: at(3) }),
    );
    await world.pass(120 * MINUTE);
    assert.deepEqual(world.told('owner'), []);
    assert.deepEqual(world.told('chat'), ['TriggerFiring errors']);
  });

  test('an acknowledgement after the page stops the reminders, and channels that keep incidents hear of it', async () => {
    const world = await worldWith({ ...options, incidentChannels: ['owner'] }, firing());
    await world.pass(10 * MINUTE);
    world.look(firing({ acknowledgedBy: 'alice', acknowledgedAt: at(9) }));
    await world.pass(120 * MINUTE);
    const last = world.channel('owner').sent.at(-1);
    assert.equal(last?.incident?.state, 'Acknowledged');
    assert.equal(last?.incident?.acknowledgedBy, 'alice');
    assert.equal(world.told('owner').length, 2);
    assert.equal(world.told('chat').length, 1);
  });

  test('a decision of a person is an answer too', async () => {
    const decided = { decision: 'Pause', by: 'bob', decidedAt: at(60_000), outcome: 'Applied' };
    const world = await worldWith(options, firing(), { ...firing(), decisions: [decided] });
    await world.pass(120 * MINUTE);
    assert.deepEqual(world.told('owner'), []);
  });

  test('a warning has half an hour', async () => {
    const world = await worldWith(options, firing({ severity: 'Warning' }));
    await world.pass(29 * MINUTE);
    assert.deepEqual(world.told('owner'), []);
    await world.pass(2 * MINUTE);
    assert.deepEqual(world.told('owner'), ['ResponseOverdue errors']);
  });

  test('the second day is less close: fifteen minutes', async () => {
    const world = new OutboxWorld(options);
    world.look(status());
    await world.pass(25 * 60 * MINUTE);
    const firedAt = toIso(world.clock.now());
    world.look(firing({ firingAt: firedAt }));
    await world.pass(14 * MINUTE);
    assert.deepEqual(world.told('owner'), []);
    await world.pass(2 * MINUTE);
    assert.deepEqual(world.told('owner'), ['ResponseOverdue errors']);
  });

  test('a restart forgets neither the page nor when it is due', async () => {
    const world = await worldWith(options, firing());
    await world.pass(3 * MINUTE);
    world.crash();
    world.look(firing());
    await world.pass(MINUTE);
    assert.deepEqual(world.told('owner'), []);
    await world.pass(MINUTE + SECOND);
    assert.deepEqual(world.told('owner'), ['ResponseOverdue errors']);
    world.crash();
    world.look(firing());
    await world.pass(10 * MINUTE);
    assert.equal(world.told('owner').length, 1);
    assert.equal(world.told('chat').length, 1);
  });
});

describe('the schedule', () => {
  test('first day: a look every half hour, a summary with the checklist every hour; then two-hourly with trends', async () => {
    const world = new OutboxWorld({ schedule: twoDays });
    world.look(status());
    await world.pass(24 * 60 * MINUTE + SECOND);
    const told = world.told();
    const count = (kind: string) => told.filter((one) => one === kind).length;
    assert.equal(count('LookDue'), 24);
    // The one at 24h is the second day's.
    assert.equal(count('Digest'), 24);
    const first = world.channel().sent.find(({ kind }) => kind === 'Digest');
    assert.match(first?.body ?? '', /\*\*Checklist\*\*/);
    await world.pass(24 * 60 * MINUTE);
    assert.equal(world.told().filter((one) => one === 'Digest').length, 24 + 11);
    assert.match(world.channel().sent.at(-1)?.body ?? '', /Trends/);
    await world.pass(48 * 60 * MINUTE);
    assert.equal(world.told().filter((one) => one === 'Digest').length, 24 + 11);
  });

  test('a summary that nobody was there to send is not made up for', async () => {
    const world = new OutboxWorld({ schedule: twoDays });
    world.look(status());
    await world.pass(61 * MINUTE);
    world.crash();
    await world.pass(5 * 60 * MINUTE);
    world.look(status());
    await world.pass(SECOND);
    assert.equal(world.told().filter((one) => one === 'Digest').length, 2);
  });
});

describe('a steady state', () => {
  test('writes nothing and sends nothing', async () => {
    const world = await worldWith({}, firing());
    const { writes } = world.store;
    for (let look = 0; look < 100; look += 1) {
      world.look(firing());
      await world.pass(15 * SECOND);
    }
    assert.equal(world.store.writes, writes);
    assert.equal(world.told().length, 2);
  });

  test('a message is one write where the channel answers at once', async () => {
    const world = await worldWith({}, status());
    assert.equal(world.store.writes, 1);
  });

  test('nothing is kept of a rollout of which nobody is told', async () => {
    const world = await worldWith(
      { notify: [{ channel: 'chat', events: ['Succeeded'] }] },
      status(),
    );
    assert.deepEqual(world.told(), []);
    assert.ok(world.store.writes <= 1);
  });
});

describe('a channel in trouble', () => {
  test('429 with Retry-After: not a second sooner', async () => {
    const world = new OutboxWorld();
    world.channel().behaviour = { type: 'later', message: '429', retryAfterMs: 90_000 };
    world.look(status());
    await world.pass(89 * SECOND);
    assert.equal(world.channel().tried.length, 1);
    world.channel().behaviour = { type: 'sent', answer: 'ok' };
    await world.pass(2 * SECOND);
    assert.deepEqual(world.told(), ['RunStarted']);
  });

  test('down for hours: tried with growing pauses, at most every five minutes, and told when it is back', async () => {
    const world = new OutboxWorld();
    world.channel().behaviour = { type: 'later', message: '503' };
    world.look(firing());
    await world.pass(50 * MINUTE);
    const { length } = world.channel().tried;
    assert.ok(length > 12 && length < 40, `${length} tries`);
    world.channel().behaviour = { type: 'sent', answer: 'ok' };
    await world.pass(6 * MINUTE);
    assert.deepEqual(world.told(), ['RunStarted', 'TriggerFiring errors']);
    assert.deepEqual(world.lost, []);
  });

  test('news that nobody wants any more is given up: Info after an hour, Critical after a day', async () => {
    const world = new OutboxWorld();
    world.channel().behaviour = { type: 'later', message: '503' };
    world.look(firing());
    await world.pass(2 * 60 * MINUTE);
    assert.deepEqual(world.lost, ['chat old']);
    await world.pass(24 * 60 * MINUTE);
    assert.deepEqual(world.lost, ['chat old', 'chat old']);
  });

  test('what is refused for good is given up, and the next is sent', async () => {
    const world = new OutboxWorld();
    world.channel().behaviour = ({ kind }) =>
      kind === 'RunStarted' ? { type: 'never', message: '400' } : { type: 'sent', answer: 'ok' };
    world.look(firing());
    await world.pass(SECOND);
    assert.deepEqual(world.told(), ['TriggerFiring errors']);
    assert.deepEqual(world.lost, ['chat refused']);
  });

  test('one that hangs is left after fifteen seconds, and keeps no other channel waiting', async () => {
    const world = new OutboxWorld({ channels: ['chat', 'pager'] });
    world.channel('chat').behaviour = 'hang';
    world.look(firing());
    await world.pass(SECOND);
    assert.deepEqual(world.told('pager'), ['RunStarted', 'TriggerFiring errors']);
    await world.pass(20 * SECOND);
    assert.ok(world.channel('chat').tried.length >= 2);
  });

  test('a thousand messages wait at most, and those that matter most stay', async () => {
    const world = new OutboxWorld();
    world.channel().behaviour = 'hang';
    for (let run = 0; run < 1_100; run += 1) {
      world.look(
        status({ runId: `run-${run}`, triggers: [trigger('Firing', { firingAt: at(run) })] }),
      );
      if (run % 100 === 0) await world.pass(1);
    }
    await world.pass(SECOND);
    assert.ok(world.lost.length > 0);
    assert.ok(world.lost.every((one) => one === 'chat full'));
  });

  test('Alertmanager is told again every minute while it is open, and not after', async () => {
    const world = new OutboxWorld({ forgetful: ['chat'], incidentChannels: ['chat'] });
    world.look(firing());
    await world.pass(5 * MINUTE + SECOND);
    const open = () => world.channel().sent.filter(({ kind }) => kind === 'TriggerFiring').length;
    assert.equal(open(), 6);
    world.crash();
    world.look(firing());
    await world.pass(2 * MINUTE + SECOND);
    assert.equal(open(), 8);
    world.look(status({ triggers: [trigger('Inactive')] }));
    await world.pass(10 * MINUTE);
    assert.equal(open(), 8);
  });
});

describe('the ledger in trouble', () => {
  test('a store that hangs keeps nobody from being told', async () => {
    const world = new OutboxWorld();
    world.look(status());
    await world.pass(SECOND);
    world.store.trouble = 'hangs';
    world.look(firing());
    await world.pass(SECOND);
    assert.deepEqual(world.told(), ['RunStarted', 'TriggerFiring errors']);
    world.store.trouble = 'none';
    await world.pass(MINUTE);
    world.crash();
    world.look(firing());
    await world.pass(MINUTE);
    assert.equal(world.told().length, 2);
  });

  test('one that cannot be read at the start is read again, and what happened meanwhile is told', async () => {
    const world = new OutboxWorld();
    world.store.trouble = 'fails';
    world.look(status());
    await world.pass(5 * SECOND);
    world.look(firing());
    await world.pass(5 * SECOND);
    world.look(status({ triggers: [trigger('Inactive')] }));
    world.store.trouble = 'none';
    await world.pass(MINUTE);
    assert.deepEqual(world.told(), [
      'RunStarted',
      'TriggerFiring errors',
      'TriggerResolved errors',
    ]);
  });
});

describe('the report', () => {
  const end = status({ phase: 'Succeeded', finishedAt: at(9), message: 'v2 has succeeded' });

  test('is the body of the message about the end, as soon as it is there', async () => {
    const world = await worldWith({}, status());
    world.report = { markdown: '# Not yet', isFinal: false };
    world.look(end);
    await world.pass(10 * SECOND);
    assert.deepEqual(world.told(), ['RunStarted']);
    world.report = { markdown: '# Success report', isFinal: true };
    await world.pass(3 * SECOND);
    assert.deepEqual(world.told(), ['RunStarted', 'Succeeded']);
    assert.equal(world.channel().sent.at(-1)?.body, '# Success report');
  });

  test('is not waited for longer than half a minute', async () => {
    const world = await worldWith({}, status());
    world.report = undefined;
    world.look(end);
    await world.pass(31 * SECOND);
    assert.deepEqual(world.told(), ['RunStarted', 'Succeeded']);
  });

  test('is in the message of the next process too', async () => {
    const world = await worldWith({}, status());
    world.report = undefined;
    world.look(end);
    await world.pass(5 * SECOND);
    world.crash();
    world.report = { markdown: '# Success report', isFinal: true };
    world.look(end);
    await world.pass(5 * SECOND);
    assert.deepEqual(world.told(), ['RunStarted', 'Succeeded']);
    assert.equal(world.channel().sent.at(-1)?.body, '# Success report');
  });
});

describe('who does not lead', () => {
  test('sends nothing', async () => {
    const world = new OutboxWorld();
    world.isLeader = false;
    world.look(firing());
    await world.pass(MINUTE);
    assert.equal(world.channel().tried.length, 0);
    world.isLeader = true;
    await world.pass(2 * SECOND);
    assert.equal(world.told().length, 2);
  });
});
