/** `kubectl genesis simulate FILE…`: runs scenarios, shows their timelines and says where they differ. */
import { dirname, isAbsolute, join } from 'node:path';
import { parseDocument } from 'yaml';
import {
  BadInput,
  type Command,
  type ExitCode,
  exitCodes,
  type FlagTable,
  type Terminal,
} from '#cli/command.ts';
import { outputOf, readFlags } from '#cli/flags.ts';
import { type Difference, differences, expectationsOf } from '#simulate/expectations.ts';
import { readScenario, type Scenario } from '#simulate/read-scenario.ts';
import { renderJson, renderText, renderVerdict } from '#simulate/render.ts';
import { type Simulation, simulate } from '#simulate/simulate.ts';

const flags = {
  output: {
    type: 'string',
    short: 'o',
    operand: 'text|json',
    what: 'a table for people, or data; default: text',
  },
  quiet: {
    type: 'boolean',
    short: 'q',
    what: 'says only where something differs from what is expected',
  },
  update: {
    type: 'boolean',
    what: 'writes what has happened into the files, as what they expect',
  },
  'every-tick': {
    type: 'boolean',
    what: 'carries out every evaluation, also where nothing can have changed',
  },
} as const satisfies FlagTable;

export const simulateCommand: Command = {
  spec: {
    operands: 'FILE… [flags]',
    about: ['docs/simulate.md describes the format.'],
    flags,
    isOnline: false,
    examples: [],
    exits: ['asExpected', 'differs', 'badInput'],
  },
  run: runScenarios,
};

async function runScenarios(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values, positionals } = readFlags(args, flags);
  const output = outputOf(values.output);
  if (positionals.length === 0)
    throw new BadInput(['simulate needs a scenario file, and has none']);
  const runs = positionals.map((file) => runFile(file, terminal, values['every-tick'] === true));
  if (values.update === true) for (const run of runs) update(run, terminal);
  else if (output === 'json') {
    const all = runs.map(({ scenario, simulation, found }) =>
      renderJson(scenario, simulation, found),
    );
    terminal.out(`${JSON.stringify(all.length === 1 ? all[0] : all, undefined, 2)}\n`);
  } else {
    const render = ({ scenario, simulation, found }: Run) =>
      values.quiet === true
        ? renderVerdict(scenario, found)
        : renderText(scenario, simulation, found);
    terminal.out(runs.map(render).join('\n'));
  }
  const differs = values.update !== true && runs.some(({ found }) => found.length > 0);
  return differs ? exitCodes.differs : exitCodes.asExpected;
}

interface Run {
  readonly scenario: Scenario;
  readonly text: string;
  readonly simulation: Simulation;
  readonly found: readonly Difference[];
}

function runFile(file: string, { readText }: Terminal, everyTick: boolean): Run {
  const text = read(file, readText);
  const readBeside = (path: string) =>
    readText(isAbsolute(path) ? path : join(dirname(file), path));
  const result = readScenario({ file, text, readBeside });
  if (result.type === 'invalid') throw new BadInput(result.problems);
  const { scenario } = result;
  const simulation = simulate(scenario, { everyTick });
  if (simulation.type === 'invalid') throw new BadInput(simulation.problems);
  return { scenario, text, simulation, found: differences(scenario, simulation) };
}

function read(file: string, readText: (path: string) => string): string {
  try {
    return readText(file);
  } catch (error) {
    throw new BadInput([`${file}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/** Everything but the expectations stays as it is written, comments too. */
function update({ scenario, text, simulation }: Run, { writeText, out }: Terminal): void {
  const document = parseDocument(text);
  const { complete, expect, final } = expectationsOf(scenario, simulation);
  document.set('complete', document.createNode(complete, { flow: true }));
  document.set(
    'expect',
    Object.assign(document.createNode([]), {
      flow: false,
      items: expect.map((line) => document.createNode(line, { flow: true })),
    }),
  );
  document.set('final', document.createNode(final, { flow: true }));
  writeText(
    scenario.file,
    document.toString({ lineWidth: 0, flowCollectionPadding: false, indentSeq: false }),
  );
  out(`${scenario.file}: ${expect.length} lines written\n`);
}
