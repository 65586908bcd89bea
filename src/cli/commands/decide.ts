/** The commands by which a person decides: each makes one GenesisDecision and says what the operator made of it. */
import type { DecisionKind } from '#api/decision.ts';
import { limits } from '#api/limits.ts';
import { apiVersion, decisionResource } from '#api/names.ts';
import {
  BadInput,
  type Command,
  type ExitCode,
  exitCodes,
  Failure,
  type FlagTable,
  type Terminal,
} from '#cli/command.ts';
import { subjectOf } from '#cli/decision-subject.ts';
import { findRollout, rolloutName } from '#cli/find-rollout.ts';
import { oneOf, readFlags } from '#cli/flags.ts';
import { durationOf, kubeFlags, whereText, withClient } from '#cli/kube-flags.ts';
import { needsName, onlyName } from '#cli/one-rollout.ts';
import { awaitOutcome, type Outcome } from '#cli/outcome.ts';
import { assertNever } from '#core/assert.ts';
import type { NewObject } from '#kube/kubectl-client.ts';
import type { KubeObject } from '#ports/cluster.ts';

const common = {
  reason: { type: 'string', operand: 'TEXT', what: 'why, for the account of who decided what' },
  revision: {
    type: 'string',
    operand: 'TEXT',
    what: 'the revision that it is about; default: that of the current run',
  },
  'expires-after': {
    type: 'string',
    operand: 'DURATION',
    what: 'not applied, and not counted as an approval, after this time',
  },
  wait: {
    type: 'string',
    operand: 'DURATION',
    what: "how long to wait for the operator's answer; 0s is not at all; default: 10s",
  },
  output: {
    type: 'string',
    short: 'o',
    operand: 'json|yaml|name',
    what: 'the GenesisDecision; default: what came of it, in a sentence',
  },
} as const satisfies FlagTable;
const step = {
  step: {
    type: 'string',
    operand: 'NAME',
    what: 'the step; default: the one that waits, or the next that asks for approval',
  },
} as const satisfies FlagTable;
const flags = { ...common, ...kubeFlags } as const satisfies FlagTable;
const stepFlags = { ...step, ...flags } as const satisfies FlagTable;

interface Verb {
  readonly kind: DecisionKind;
  readonly about: string;
  readonly example: readonly [rest: string, what: string];
}

export const verbs = {
  approve: {
    kind: 'Approve',
    about:
      'Counts towards the quorum of the step, once for each person. It can be given before the step is due.',
    example: [
      "checkout --step full --reason 'dashboards are clean'",
      'one of the approvals that step full needs',
    ],
  },
  reject: {
    kind: 'Reject',
    about: 'Holds the step, whoever else approves, until the same person approves it.',
    example: ["checkout --step full --reason 'support is not ready'", 'step full is not entered'],
  },
  promote: {
    kind: 'Promote',
    about: 'Ends the waiting before the next point; never a hold, a gate or a trigger.',
    example: ['checkout', 'the next point is due now'],
  },
  pause: {
    kind: 'Pause',
    about: 'Holds the schedule. Triggers are watched on, and still roll back.',
    example: ["checkout --reason 'the database is being moved'", 'no more traffic until resume'],
  },
  resume: {
    kind: 'Resume',
    about: 'Takes a pause back, or lifts a hold that asks for it.',
    example: ['checkout', 'goes on where it stood'],
  },
  abort: {
    kind: 'Abort',
    about: 'Rolls back: all traffic goes to stable, verified, with a report.',
    example: ["checkout --reason 'customers complain'", 'back to stable'],
  },
  retry: {
    kind: 'Retry',
    about: 'Starts an ended run of this revision again.',
    example: ['checkout', 'the same revision once more'],
  },
  extend: {
    kind: 'Extend',
    about:
      'Moves the end by `success.extendBy`; the criteria are judged over the time from then on.',
    example: [
      "checkout --reason 'too little traffic at the weekend'",
      'a new window for the criteria',
    ],
  },
  acknowledge: {
    kind: 'Acknowledge',
    about: 'Says that somebody looks at a trigger, so that nobody else is paged.',
    example: ['checkout error-rate', 'I am on it'],
  },
} as const satisfies Record<string, Verb>;

export type VerbName = keyof typeof verbs;

export function decideCommand(name: VerbName): Command {
  const { about, example, kind } = verbs[name];
  const isOfStep = kind === 'Approve' || kind === 'Reject';
  const [rest, what] = example;
  return {
    spec: {
      operands: name === 'acknowledge' ? 'NAME [TRIGGER] [flags]' : 'NAME [flags]',
      about: [
        about,
        'Makes a GenesisDecision in your name; docs/decisions.md says which rights that takes.',
      ],
      flags: isOfStep ? stepFlags : flags,
      isOnline: true,
      examples: [[`kubectl genesis ${name} ${rest}`, what]],
      exits: ['asExpected', 'failed', 'badInput', 'notFound', 'refused', 'timedOut'],
    },
    run: async (args, terminal) => {
      if (!isOfStep) return await decide(name, readFlags(args, flags), terminal);
      const { values, positionals } = readFlags(args, stepFlags);
      return await decide(name, { values, positionals, about: values.step }, terminal);
    },
  };
}

interface Words {
  readonly values: ReturnType<typeof readFlags<typeof flags>>['values'];
  /** `--step`. */
  readonly about?: string | undefined;
  readonly positionals: readonly string[];
}

async function decide(verb: VerbName, words: Words, terminal: Terminal): Promise<ExitCode> {
  const { values, positionals } = words;
  const output = oneOf('--output', values.output ?? 'text', ['text', 'json', 'yaml', 'name']);
  const waitMs = durationOf('--wait', values.wait ?? '10s');
  const { name, about } = namesOf(verb, positionals, words.about);
  const { reason } = values;
  if (reason !== undefined && reason.length > limits.textLengthMax) {
    throw new BadInput([
      `--reason has ${reason.length} characters; ${limits.textLengthMax} are allowed`,
    ]);
  }
  const expiresAfter = values['expires-after'];
  const expiresMs =
    expiresAfter === undefined ? undefined : durationOf('--expires-after', expiresAfter);
  return await withClient(values, terminal, async (client) => {
    const signal = terminal.interrupted;
    const rollout = await findRollout(client, name, signal);
    const subject = subjectOf(verbs[verb].kind, rollout, { about, revision: values.revision });
    const by = await client.whoAmI(signal);
    const expiresAt =
      expiresMs === undefined
        ? {}
        : { expiresAt: new Date(terminal.clock.now() + expiresMs).toISOString() };
    const made = await client.create(
      decisionResource,
      decisionOf(rollout, {
        rollout: name,
        ...subject,
        decision: verbs[verb].kind,
        by,
        ...(reason === undefined ? {} : { reason }),
        ...expiresAt,
      }),
      signal,
    );
    const outcome = await awaitOutcome({ client, terminal, made, rollout, waitMs });
    return await tell(outcome, {
      made,
      output,
      terminal,
      waitMs,
      follow: `kubectl genesis watch ${name}${whereText(values)}`,
    });
  });
}

function namesOf(verb: VerbName, positionals: readonly string[], step: string | undefined) {
  if (verb !== 'acknowledge') return { name: onlyName(positionals, verb), about: step };
  const [name, trigger, ...others] = positionals;
  if (name === undefined) throw needsName(verb);
  if (others.length > 0) {
    throw new BadInput([
      `acknowledge takes NAME and TRIGGER; what is ${JSON.stringify(others[0])}?`,
    ]);
  }
  return { name: rolloutName(name), about: trigger };
}

function decisionOf({ metadata }: KubeObject, spec: object): NewObject {
  const { name, namespace = '' } = metadata;
  return {
    apiVersion,
    kind: decisionResource.kind,
    metadata: { generateName: `${name}-`, namespace },
    spec,
  };
}

interface Telling {
  readonly made: KubeObject;
  readonly output: 'text' | 'json' | 'yaml' | 'name';
  readonly terminal: Terminal;
  readonly waitMs: number;
  readonly follow: string;
}

async function tell(outcome: Outcome, telling: Telling): Promise<ExitCode> {
  const { made, output, terminal, waitMs, follow } = telling;
  if (output !== 'text') await print(outcome.decision ?? made, output, terminal);
  const { name } = made.metadata;
  switch (outcome.type) {
    case 'Applied':
      if (output === 'text') terminal.out(`${outcome.message}\n`);
      return exitCodes.asExpected;
    case 'Refused':
      throw new Failure('refused', [outcome.message]);
    case 'unanswered':
      if (waitMs === 0) {
        if (output === 'text') terminal.out(`${decisionResource.kind} ${name} is made\n`);
        return exitCodes.asExpected;
      }
      throw new Failure('timedOut', [
        `the operator has not answered ${name} within ${waitMs / 1000}s: is it running?`,
        `the decision stays, and counts as soon as the operator sees it: \`kubectl get genesisdecision ${name}\` shows its outcome, \`${follow}\` what follows`,
      ]);
    default:
      return assertNever(outcome);
  }
}

async function print(
  object: KubeObject,
  output: 'json' | 'yaml' | 'name',
  terminal: Terminal,
): Promise<void> {
  const { nameText, objectsText } = await import('#cli/output.ts');
  terminal.out(output === 'name' ? `${nameText(object)}\n` : objectsText([object], output, true));
}
