/** `kubectl genesis backtest`: replays a rollout's triggers over stable's real history, before they are trusted. */
import { compareText, formatValue } from '#api/condition-text.ts';
import { parseDuration } from '#api/duration.ts';
import {
  BadInput,
  type Command,
  type ExitCode,
  exitCodes,
  type FlagTable,
  type Terminal,
} from '#cli/command.ts';
import { outputOf, readFlags } from '#cli/flags.ts';
import { type Answer, type Question, questionKey } from '#core/answer.ts';
import { fillerFor } from '#core/fill.ts';
import { fillMeasure, readWindow } from '#core/reading.ts';
import { resolveSpec } from '#core/resolve.ts';
import type { RunSpec, RunTrigger } from '#core/run-spec.ts';
import { spanText, tickAt, toIso } from '#core/time.ts';
import { silentLogger } from '#ports/logger.ts';
import { createMetricSource, type PrometheusSource } from '#prometheus/client.ts';
import { inspectQuery } from '#promql/inspect-query.ts';
import { systemClock } from '#runtime/clock.ts';
import { type Replay, replayTrigger, type Stretch } from '#simulate/backtest.ts';
import { parseYaml, readRollout } from '#simulate/read-scenario.ts';

const flags = {
  file: { type: 'string', short: 'f', operand: 'FILE', what: 'the GenesisRollout' },
  prometheus: { type: 'string', operand: 'URL', what: 'where the history is' },
  window: {
    type: 'string',
    operand: 'DURATION',
    what: 'how far back, such as 336h or 14d; default: 14d',
  },
  arm: { type: 'string', operand: 'stable|canary', what: 'whose history; default: stable' },
  header: {
    type: 'string',
    multiple: true,
    operand: "'NAME: X'",
    what: 'sent with every question; may be repeated',
  },
  output: {
    type: 'string',
    short: 'o',
    operand: 'text|json',
    what: 'a list for people, or data; default: text',
  },
} as const satisfies FlagTable;

const QUERY_TIMEOUT_MS = 60_000;
const CONCURRENCY_MAX = 4;
const RESPONSE_BYTES_MAX = 200_000_000;
const DAY_MS = 86_400_000;

export const backtestCommand: Command = {
  spec: {
    operands: '-f ROLLOUT --prometheus URL [flags]',
    about: ['Says of each when it would have fired.'],
    flags,
    isOnline: false,
    examples: [],
    exits: ['asExpected', 'differs', 'badInput'],
  },
  run: replayTriggers,
};

async function replayTriggers(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values } = readFlags(args, flags);
  const output = outputOf(values.output);
  const { file, prometheus: url, window = '14d' } = values;
  const arm = armOf(values.arm ?? 'stable');
  if (file === undefined) throw new BadInput(['--file is required: the GenesisRollout']);
  if (url === undefined) throw new BadInput(['--prometheus is required: a URL']);
  const run = readRun(file, terminal);
  const endMs = tickAt(systemClock.now() - run.offsetMs, run.intervalMs);
  const startMs = tickAt(endMs - windowMs(window), run.intervalMs);
  const source = createMetricSource({
    clock: systemClock,
    logger: silentLogger,
    timeoutMs: QUERY_TIMEOUT_MS,
    concurrencyMax: CONCURRENCY_MAX,
    responseBytesMax: RESPONSE_BYTES_MAX,
    keepMs: QUERY_TIMEOUT_MS,
    listsKeptMs: QUERY_TIMEOUT_MS,
  });
  try {
    const asker = { source, url, headers: headersOf(values.header ?? []) };
    const results: Result[] = [];
    for (const trigger of run.triggers) {
      results.push(await replay(trigger, { run, arm, startMs, endMs }, asker));
    }
    const past = { startMs, endMs, arm };
    terminal.out(output === 'json' ? json(results, past) : text(results, past));
    const fires = results.some((one) => one.type === 'replayed' && one.replay.firings.length > 0);
    return fires ? exitCodes.differs : exitCodes.asExpected;
  } finally {
    await source.close();
  }
}

function armOf(text: string): 'stable' | 'canary' {
  if (text === 'stable' || text === 'canary') return text;
  throw new BadInput([`--arm ${JSON.stringify(text)} is not one of stable, canary`]);
}

function readRun(file: string, { readText }: Terminal): RunSpec {
  let content: string;
  try {
    content = readText(file);
  } catch (error) {
    throw new BadInput([`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
  const document = parseYaml(file, content);
  if ('problems' in document) throw new BadInput(document.problems);
  const rollout = readRollout(file, document.value);
  if ('problems' in rollout) throw new BadInput(rollout.problems);
  const resolved = resolveSpec({ ...rollout, inspect: inspectQuery });
  if (resolved.type === 'ok') return resolved.run;
  throw new BadInput(resolved.problems.map((problem) => `${file}: ${problem}`));
}

/** A duration of the API, or days, as people say windows. */
function windowMs(text: string): number {
  const days = /^([0-9]{1,4})d$/.exec(text)?.[1];
  if (days !== undefined) return Number(days) * DAY_MS;
  try {
    return parseDuration(text);
  } catch {
    throw new BadInput([`--window ${JSON.stringify(text)} is not a duration such as 14d or 336h`]);
  }
}

function headersOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((header) => {
      const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(header) ?? [];
      if (name === undefined || value === undefined) {
        throw new BadInput(['--header is not of the form "Name: value"']);
      }
      return [name, value];
    }),
  );
}

type Result =
  | { readonly type: 'replayed'; readonly trigger: RunTrigger; readonly replay: Replay }
  | { readonly type: 'untold'; readonly trigger: RunTrigger; readonly why: string };

interface Past {
  readonly run: RunSpec;
  readonly arm: 'stable' | 'canary';
  readonly startMs: number;
  readonly endMs: number;
}

interface Asker {
  readonly source: PrometheusSource;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function replay(trigger: RunTrigger, past: Past, asker: Asker): Promise<Result> {
  const { measure } = trigger;
  if (measure.type === 'suite' || measure.type === 'probe') {
    return { type: 'untold', trigger, why: `a ${measure.type} has no history in Prometheus` };
  }
  const { run, arm, startMs, endMs } = past;
  const filled = fillMeasure(
    measure,
    fillerFor(run, arm, { weight: 0, windowMs: endMs - startMs }),
  );
  const grid = { startMs, endMs, stepMs: run.intervalMs };
  const open: Question[] = [];
  // Asked twice: first to learn what is to be asked, then with the answers.
  readWindow(filled, grid, (question) => {
    if (question.type === 'range') open.push(question);
    return undefined;
  });
  const answers = new Map<string, Answer>();
  await Promise.all(
    open.map(async (question) => answers.set(questionKey(question), await ask(question, asker))),
  );
  const readings = readWindow(filled, grid, (question) =>
    question.type === 'range' ? answers.get(questionKey(question)) : undefined,
  );
  if (readings === undefined) throw new Error('every question has been answered');
  if ('type' in readings) throw new BadInput([`${trigger.name}: ${readings.message}`]);
  return { type: 'replayed', trigger, replay: replayTrigger(trigger, readings, run.intervalMs) };
}

function ask(question: Question, { source, url, headers }: Asker): Promise<Answer> {
  if (question.type !== 'range') throw new Error('history is asked by range');
  const { query, startMs, endMs, stepMs } = question;
  const endpoint = { url, headers, tls: {} };
  const { signal } = new AbortController();
  return source.range(endpoint, query, { startMs, endMs, stepMs }, signal);
}

function text(
  results: readonly Result[],
  { startMs, endMs, arm }: Pick<Past, 'startMs' | 'endMs' | 'arm'>,
): string {
  const head = `${arm}'s history from ${toIso(startMs)} to ${toIso(endMs)}`;
  return `${[head, '', ...results.flatMap(lines)].join('\n')}\n`;
}

function lines(result: Result): string[] {
  const { trigger } = result;
  const name = `${trigger.name} (${trigger.severity}, ${trigger.condition.text} for ${spanText(trigger.forMs)})`;
  if (result.type === 'untold') return [`${name}: not replayed: ${result.why}`];
  const { firings, nearestMiss, readings, missing } = result.replay;
  const gaps = missing === 0 ? '' : `; ${missing} of ${readings} readings are missing`;
  const near =
    nearestMiss === undefined ? [] : [`  nearest miss: ${stretchText(trigger, nearestMiss)}`];
  if (firings.length === 0) return [`${name}: would not have fired${gaps}`, ...near];
  return [
    `${name}: would have fired ${firings.length} ${firings.length === 1 ? 'time' : 'times'}${gaps}`,
    ...firings.map((one) => `  ${stretchText(trigger, one)}`),
    ...near,
  ];
}

function stretchText(trigger: RunTrigger, stretch: Stretch): string {
  const { activeAtMs, firingAtMs, untilMs, heldMs, worst } = stretch;
  const fired =
    firingAtMs === undefined ? `held for ${spanText(heldMs)}` : `fires ${toIso(firingAtMs)}`;
  const until = untilMs === undefined ? 'and still stands' : `until ${toIso(untilMs)}`;
  return `active ${toIso(activeAtMs)}, ${fired}, ${until}: ${compareText(trigger.condition, worst)}`;
}

function json(
  results: readonly Result[],
  { startMs, endMs, arm }: Pick<Past, 'startMs' | 'endMs' | 'arm'>,
): string {
  const stretch = (trigger: RunTrigger, one: Stretch) => ({
    activeAt: toIso(one.activeAtMs),
    ...(one.firingAtMs === undefined ? {} : { firingAt: toIso(one.firingAtMs) }),
    ...(one.untilMs === undefined ? {} : { until: toIso(one.untilMs) }),
    heldSeconds: one.heldMs / 1000,
    value: one.worst,
    shown: formatValue(one.worst, trigger.condition.unit),
  });
  const triggers = results.map((result) => {
    const { trigger } = result;
    const { name, severity } = trigger;
    const base = {
      name,
      severity,
      condition: trigger.condition.text,
      forSeconds: trigger.forMs / 1000,
    };
    if (result.type === 'untold') return { ...base, notReplayed: result.why };
    const { firings, nearestMiss, readings, missing } = result.replay;
    return {
      ...base,
      readings,
      missing,
      firings: firings.map((one) => stretch(trigger, one)),
      ...(nearestMiss === undefined ? {} : { nearestMiss: stretch(trigger, nearestMiss) }),
    };
  });
  const report = { arm, start: toIso(startMs), end: toIso(endMs), triggers };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
