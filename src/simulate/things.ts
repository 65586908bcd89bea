/** The things of `at`: what each does to the world, when, and when it is over. */
import { parseDuration } from '#api/duration.ts';
import { toIso } from '#core/time.ts';
import { momentMs } from './moment.ts';
import type { Scenario } from './read-scenario.ts';
import type { Thing } from './scenario.ts';
import type { ScenarioShell } from './scenario-shell.ts';
import type { Line } from './timeline.ts';

/** One change of the world at an instant. */
export interface WorldChange {
  readonly atMs: number;
  /** As the timeline tells it. */
  readonly text: string;
  readonly apply: (shell: ScenarioShell) => void;
}

/** All changes in order of time; at one instant in the order of the file, ends of earlier things first. */
export function worldChanges(scenario: Scenario): readonly WorldChange[] {
  const changes = scenario.at.flatMap((thing, index) => {
    const atMs = momentMs(thing.at, scenario.startMs);
    const untilMs = thing.for === undefined ? undefined : atMs + parseDuration(thing.for);
    const { text, apply, undo } = effectOf(thing, index, scenario);
    const begin: WorldChange = { atMs, text, apply };
    if (untilMs === undefined || undo === undefined) return [begin];
    const end: WorldChange = { atMs: untilMs, text: `over: ${text}`, apply: undo };
    return [begin, end];
  });
  return changes.sort((a, b) => a.atMs - b.atMs);
}

export function worldLine(change: WorldChange): Line {
  return { atMs: change.atMs, kind: 'world', value: change.text };
}

interface Effect {
  readonly text: string;
  readonly apply: (shell: ScenarioShell) => void;
  /** What its end does, where it has one. */
  readonly undo?: (shell: ScenarioShell) => void;
}

function effectOf(thing: Thing, index: number, scenario: Scenario): Effect {
  const { request, patch, paused, ready, route, skew } = thing;
  if (request !== undefined) {
    const text = request.includes(' ') ? request : `${request} at-${index}`;
    return { text: `a person asks: ${text}`, apply: (shell) => shell.annotate(text) };
  }
  if (patch !== undefined || paused !== undefined) {
    const change = patch ?? { paused };
    const text = `spec patched: ${JSON.stringify(change)}`;
    return { text, apply: (shell) => shell.patch(change) };
  }
  if (thing.delete === true) {
    return { text: 'the rollout is deleted', apply: (shell) => shell.delete() };
  }
  if (ready !== undefined) return readyEffect(ready);
  if (route !== undefined) return routeEffect(route, scenario);
  if (skew !== undefined) {
    const sign = skew.startsWith('-') ? -1 : 1;
    const skewMs = sign * parseDuration(skew.replace(/^-/, ''));
    const set = (ms: number) => (shell: ScenarioShell) => {
      shell.prometheus.skew = { ms, sinceMs: shell.now };
    };
    return { text: `Prometheus' clock is ahead by ${skew}`, apply: set(skewMs), undo: set(0) };
  }
  return outageEffect(thing, scenario.startMs);
}

function outageEffect({ prometheus, api, operator, decide }: Thing, startMs: number): Effect {
  if (prometheus !== undefined) {
    const set = (outage: typeof prometheus | undefined) => (shell: ScenarioShell) => {
      shell.prometheus.outage = outage;
    };
    return { text: `Prometheus is ${prometheus}`, apply: set(prometheus), undo: set(undefined) };
  }
  if (api !== undefined) {
    const set = (state: 'ok' | typeof api) => (shell: ScenarioShell) => {
      shell.api = state;
    };
    const text = api === 'down' ? 'the API server takes no writes' : 'every status write conflicts';
    return { text, apply: set(api), undo: set('ok') };
  }
  if (operator !== undefined) {
    const set = (isDown: boolean) => (shell: ScenarioShell) => {
      shell.isOperatorDown = isDown;
      if (isDown) shell.die();
      else shell.restart();
    };
    return { text: 'no process of the operator runs', apply: set(true), undo: set(false) };
  }
  if (decide === undefined) throw new Error('a thing of `at` does something');
  const { decision, by, step, reason, revision, expiresAt } = decide;
  const optional = {
    ...(step === undefined ? {} : { step }),
    ...(reason === undefined ? {} : { reason }),
    ...(revision === undefined ? {} : { revision }),
    ...(expiresAt === undefined ? {} : { expiresAt: toIso(momentMs(expiresAt, startMs)) }),
  };
  const text = `${by} decides: ${[decision, step, reason].filter((one) => one !== undefined).join(' ')}`;
  return { text, apply: (shell) => shell.decide({ decision, by, ...optional }) };
}

function readyEffect(ready: NonNullable<Thing['ready']>): Effect {
  const parts = Object.entries(ready).map(([arm, count]) => `${arm} ${count}`);
  let before: ScenarioShell['readyEndpoints'] | undefined;
  return {
    text: `Ready endpoints: ${parts.join(', ')}`,
    apply: (shell) => {
      before = { ...shell.readyEndpoints };
      Object.assign(shell.readyEndpoints, ready);
      shell.changed();
    },
    undo: (shell) => {
      Object.assign(shell.readyEndpoints, before);
      shell.changed();
    },
  };
}

function routeEffect(given: NonNullable<Thing['route']>, scenario: Scenario): Effect {
  const { weight, by, accepted, missing } = given;
  const first =
    scenario.spec.traffic.routes[0]?.name ?? scenario.spec.traffic.featureFlag?.configMap;
  const name = given.name ?? first ?? '';
  const parts = [
    ...(weight === undefined ? [] : [`${by} sets it to ${weight}%`]),
    ...(accepted === undefined
      ? []
      : [`its gateway ${accepted ? 'accepts' : 'does not accept'} it`]),
    ...(missing === undefined ? [] : [missing ? 'it is gone' : 'it is there']),
  ];
  return {
    text: `route ${name}: ${parts.join(', ')}`,
    apply: (shell) => {
      const route = shell.route(name);
      if (accepted !== undefined) route.settled = accepted;
      if (missing !== undefined) route.mode = missing ? 'missing' : 'read';
      if (weight !== undefined) shell.writeElsewhere(weight, name, by);
      shell.changed();
    },
    undo: (shell) => {
      const route = shell.route(name);
      if (accepted !== undefined) route.settled = !accepted;
      if (missing !== undefined) route.mode = missing ? 'read' : 'missing';
      shell.changed();
    },
  };
}
