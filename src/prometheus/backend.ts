/**
 * What one Prometheus says of itself. Its lists are large at a big one, so that all rollouts that rely on the same
 * server share them for a while.
 */
import type { Clock } from '#ports/clock.ts';
import type { MetricEndpoint, MetricSource } from '#ports/metric-source.ts';
import type { MetricBackend, Told } from '#ports/monitoring-systems.ts';
import type { Fields } from '#transport/server.ts';
import type { Carrier } from './carrier.ts';
import { createDedupe } from './dedupe.ts';
import { type Inspected, inspect } from './inspect.ts';
import {
  type ReadList,
  readAlertmanagers,
  readBuild,
  readRules,
  readTargets,
  readValues,
} from './lists.ts';
import { listQuestion, seconds } from './question.ts';
import type { Target } from './target.ts';
import type { FindTarget } from './targets.ts';

export interface BackendOptions {
  readonly clock: Clock;
  readonly carryOut: Carrier;
  readonly findTarget: FindTarget;
  readonly instant: MetricSource['instant'];
  /** How long a list is good for whoever asks the same again. */
  readonly listsKeptMs: number;
  readonly onShared: () => void;
}

export type FindBackend = (endpoint: MetricEndpoint) => MetricBackend;

const LIMITS = { listsMax: 200, entriesMax: 200_000 } as const;

/** A failure is passed on to those who ask in the same moment; after that it is asked again. */
const FAILURE_KEPT_MS = 1_000;

interface ListOf<T> {
  readonly read: ReadList<T>;
  /** When there is nothing in it: why that may mean nothing; undefined when it means what it says. */
  readonly doubt?: (target: Target, signal: AbortSignal) => Promise<string | undefined>;
}

/** @param name of the API, as in `/api/v1/targets` */
type AskList<T> = (
  endpoint: MetricEndpoint,
  name: string,
  fields: Fields,
  signal: AbortSignal,
) => Promise<Told<readonly T[]>>;

export function createBackends(options: BackendOptions): FindBackend {
  const { findTarget, instant } = options;
  const targets = sharedList(options, { read: readTargets, doubt: scrapesNothing });
  const rules = sharedList(options, {
    read: readRules,
    doubt: (target, signal) => evaluatesElsewhere(options, target, signal),
  });
  const alertmanagers = sharedList(options, { read: readAlertmanagers });
  const values = sharedList(options, { read: readValues });

  return (endpoint) => {
    const found = findTarget(endpoint);
    return {
      url: found.type === 'ok' ? found.target.shown : endpoint.url,
      instant: (query, atMs, signal) => instant(endpoint, query, atMs, signal),
      targets: (signal) => targets(endpoint, 'targets', [['state', 'active']], signal),
      rules: (signal) => rules(endpoint, 'rules', [], signal),
      alertmanagers: (signal) => alertmanagers(endpoint, 'alertmanagers', [], signal),
      labelValues: (label, selectors, { startMs, endMs }, signal) => {
        const matches = selectors.map((selector) => ['match[]', selector] as const);
        const window = [
          ['start', seconds(startMs)],
          ['end', seconds(endMs)],
        ] as const;
        const name = `label/${encodeURIComponent(escapedLabel(label))}/values`;
        return values(endpoint, name, [...matches, ...window], signal);
      },
    };
  };
}

/** As Prometheus 3 takes a name that has other characters than letters, digits and `_`: `service.name` is `U__service_2e_name`. */
function escapedLabel(label: string): string {
  if (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label)) return label;
  const escaped = label.replaceAll(/[^a-zA-Z0-9]/gu, (char) =>
    char === '_' ? '__' : `_${(char.codePointAt(0) ?? 0).toString(16)}_`,
  );
  return `U__${escaped}`;
}

function sharedList<T>(options: BackendOptions, list: ListOf<T>): AskList<T> {
  const { clock, findTarget, listsKeptMs } = options;
  const shared = createDedupe<Told<readonly T[]>>({
    clock,
    entriesMax: LIMITS.listsMax,
    sizeMax: LIMITS.entriesMax,
    size: (told) => 1 + (told.type === 'told' ? told.value.length : 0),
    keepMs: ({ type }) =>
      type === 'failed' ? Math.min(FAILURE_KEPT_MS, listsKeptMs) : listsKeptMs,
    onShared: options.onShared,
  });
  return async (endpoint, name, fields, signal) => {
    const found = findTarget(endpoint);
    if (found.type === 'invalid') {
      const message = `The url of Prometheus is not usable: ${found.message}`;
      return { type: 'failed', message };
    }
    const { target } = found;
    const start = async (stop: AbortSignal): Promise<Told<readonly T[]>> => {
      const told = await carryList(
        options.carryOut,
        target,
        { name, fields, read: list.read },
        stop,
      );
      if (told.type !== 'told' || told.value.length > 0) return told;
      const doubt = await list.doubt?.(target, stop);
      return doubt === undefined ? told : cannotTell(target, doubt);
    };
    const message = `Prometheus at ${target.shown} had not answered when the asker's own time was over`;
    const left = (): Told<readonly T[]> => ({ type: 'failed', message });
    return await shared.ask(`${target.id} ${name} ${JSON.stringify(fields)}`, {
      signal,
      start,
      left,
    });
  };
}

interface ListRequest<T> {
  readonly name: string;
  readonly fields: Fields;
  readonly read: ReadList<T>;
}

async function carryList<T>(
  carryOut: Carrier,
  target: Target,
  { name, fields, read }: ListRequest<T>,
  signal: AbortSignal,
): Promise<Told<readonly T[]>> {
  const carried = await carryOut<Inspected<T>>(
    listQuestion(target, name, fields),
    signal,
    (answer) => inspect(answer, name, read),
  );
  if (carried.type === 'error') {
    // The server is well; its list is too long for us.
    const type = carried.fault === 'tooLarge' ? 'cannotTell' : 'failed';
    return { type, message: carried.message };
  }
  const [found] = carried.parts;
  if (found?.type === 'told') return found;
  return cannotTell(target, found?.words ?? 'says nothing');
}

/** A server that is only written to has series, but no target. */
const scrapesNothing = (): Promise<string> =>
  Promise.resolve('scrapes nothing itself: who scrapes for it is not known to it');

/** VictoriaMetrics answers with no rules where vmalert is not behind it; Prometheus, Thanos and Mimir tell how they were built. */
async function evaluatesElsewhere(
  { carryOut }: BackendOptions,
  target: Target,
  signal: AbortSignal,
): Promise<string | undefined> {
  const request = { name: 'status/buildinfo', fields: [], read: readBuild };
  const build = await carryList(carryOut, target, request, signal);
  if (build.type === 'told' && build.value.length > 0) return undefined;
  return 'names no rules, and is no Prometheus: rules may be evaluated elsewhere';
}

function cannotTell(target: Target, words: string): Told<never> {
  const message = target.redact(`Prometheus at ${target.shown} ${words}`);
  return { type: 'cannotTell', message };
}
