/** One run of node's test runner in a process of its own, with a watchdog: nothing may hang in silence. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import type { Totals } from './totals.ts';

export interface Stage {
  readonly name: string;
  readonly files: readonly string[];
  /** `none` shares one process among all files: fast. `process` gives each its own: robust. */
  readonly isolation: 'none' | 'process';
  readonly filesAtOnce: number;
  /** For each test that sets no limit of its own. */
  readonly testMaxMs: number;
  /** If nothing at all is reported for so long, it is the process that hangs. Default: 1.5 times `testMaxMs`. */
  readonly silenceMaxMs?: number;
  /** Where the whole run takes place, if not here: what stands before its command, and joins its environment. */
  readonly launch?: {
    readonly command: readonly string[];
    readonly variables: Readonly<Record<string, string>>;
  };
}

export interface StageResult {
  readonly name: string;
  /** Undefined when the runner ended without a summary. */
  readonly totals: Totals | undefined;
  readonly success: boolean;
  readonly problem: string | undefined;
}

const reporter = join(import.meta.dirname, 'totals.ts');
const SILENCE_FACTOR = 1.5;
const SUMMARY_LINE = /^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [0-9.]+$/;

/** @param print gets the report line by line, without the counts at its end: those are summed over all stages */
export async function runStage(
  stage: Stage,
  print: (line: string) => void = printLine,
): Promise<StageResult> {
  // Without names the runner would look for files by itself.
  if (stage.files.length === 0) {
    const problem = `${stage.name}: there is no test file`;
    return { name: stage.name, totals: undefined, success: false, problem };
  }
  const folder = await mkdtemp(join(tmpdir(), 'genesis-test-'));
  const file = join(folder, 'totals.json');
  try {
    const ended = await runNode(stage, file, print);
    const text = await readFile(file, 'utf8').catch(() => '');
    const totals: Totals | undefined = text === '' ? undefined : JSON.parse(text);
    const success = ended.type === 'ended' && ended.code === 0 && totals?.success === true;
    return { name: stage.name, totals, success, problem: problemOf(stage, ended, totals) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

type Ended =
  | { readonly type: 'ended'; readonly code: number | null; readonly signal: string | null }
  | { readonly type: 'hung'; readonly afterMs: number };

async function runNode(
  stage: Stage,
  totalsFile: string,
  print: (line: string) => void,
): Promise<Ended> {
  const { command = [], variables = {} } = stage.launch ?? {};
  const flags = flagsOf(stage, totalsFile);
  const [program = '', ...args] = [...command, process.execPath, ...flags, ...stage.files];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...environment(), ...variables },
  });
  const silenceMaxMs = stage.silenceMaxMs ?? stage.testMaxMs * SILENCE_FACTOR;
  let hung = false;
  const watchdog = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, silenceMaxMs);
  createInterface({ input: child.stdout }).on('line', (line) => {
    watchdog.refresh();
    if (!SUMMARY_LINE.test(stripVTControlCharacters(line))) print(line);
  });
  // Who enters a namespace is deaf to all but the last word.
  const stop = (signal: NodeJS.Signals): boolean =>
    child.kill(stage.launch === undefined ? signal : 'SIGKILL');
  process.on('SIGTERM', stop).on('SIGINT', stop);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  process.off('SIGTERM', stop).off('SIGINT', stop);
  clearTimeout(watchdog);
  return hung ? { type: 'hung', afterMs: silenceMaxMs } : { type: 'ended', code, signal };
}

/**
 * For the servers in Go that a test starts: an API server that lives for half a minute spends a quarter of its time on
 * collecting garbage, at Go's default of 100 % growth. Measured with test/cluster/api-updates and decisions: 24 CPU seconds
 * at 100, 19 at 400.
 */
const GO_GC_PERCENT = '400';

/** Without the mark of a test runner above us, which would make the child report to it. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const env = { GOGC: GO_GC_PERCENT, ...inherited };
  return process.stdout.isTTY ? { ...env, FORCE_COLOR: '1' } : env;
}

function flagsOf(stage: Stage, totalsFile: string): readonly string[] {
  return [
    '--test',
    `--test-isolation=${stage.isolation}`,
    `--test-timeout=${stage.testMaxMs}`,
    ...(stage.isolation === 'process' ? [`--test-concurrency=${stage.filesAtOnce}`] : []),
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${reporter}`,
    `--test-reporter-destination=${totalsFile}`,
  ];
}

function problemOf(stage: Stage, ended: Ended, totals: Totals | undefined): string | undefined {
  const { name } = stage;
  if (ended.type === 'hung') {
    return `${name}: nothing was reported for ${ended.afterMs / 1000} s, so the run was ended; a timer, a server or a child was probably left open`;
  }
  if (ended.signal !== null) return `${name}: the run was ended by ${ended.signal}`;
  if (totals === undefined)
    return `${name}: the run ended without a summary, exit code ${ended.code}`;
  if (totals.emptyFiles.length > 0) {
    return `${name}: there is no test in ${totals.emptyFiles.join(', ')}`;
  }
  if (totals.counts.tests === 0) return `${name}: no test ran`;
  return undefined;
}
