/**
 * What health suites have found since a trigger fired: the rungs `when: NewFailures` and `KnownFlakyOnly` wait for
 * it. Judged is the newest result of a run that has started since the firing, since an older one says nothing of
 * what is wrong now; until there is one the rung waits.
 */
import type { RunTrigger } from './run-spec.ts';
import { newestResultAt } from './suite-reading.ts';
import type { SuiteResult, SuiteState } from './suite-state.ts';
import { clockText } from './time.ts';

export type SuiteOf = (name: string) => SuiteState | undefined;

type Found = 'NewFailures' | 'KnownFlakyOnly';

/** How many failed tests are named. */
const NAMES_MAX = 3;

/** The finding as a sentence; undefined when it is not so, or not known yet. */
export function suiteFinding(
  when: Found,
  trigger: RunTrigger,
  at: { readonly firingAtMs: number; readonly now: number; readonly suiteOf: SuiteOf },
): string | undefined {
  const results = suitesOf(trigger).map((name) => ({ name, result: resultSince(name, at) }));
  const bad = results.find(({ result }) => (result?.outcome.newFailures ?? 0) > 0);
  if (bad?.result !== undefined) {
    if (when === 'KnownFlakyOnly') return undefined;
    const { newFailures, failures } = bad.result.outcome;
    return `${when}: suite ${bad.name} of ${clockText(bad.result.startedAtMs)} has ${counted(newFailures, 'new failure')}${failedNames(failures)}`;
  }
  const isKnown = results.length > 0 && results.every(({ result }) => result !== undefined);
  if (when === 'NewFailures' || !isKnown) return undefined;
  const flaky = results.reduce((sum, { result }) => sum + (result?.outcome.knownFlaky ?? 0), 0);
  return `${when}: ${counted(flaky, 'known flaky failure')} and no other`;
}

function resultSince(
  name: string,
  at: { readonly firingAtMs: number; readonly now: number; readonly suiteOf: SuiteOf },
): { readonly startedAtMs: number; readonly outcome: SuiteResult } | undefined {
  const runs = at.suiteOf(name)?.runs.filter((run) => run.startedAtMs >= at.firingAtMs) ?? [];
  return newestResultAt(runs, at.now);
}

/** The trigger's own suite, or else those that its ladder runs. */
function suitesOf({ measure, ladder }: RunTrigger): readonly string[] {
  if (measure.type === 'suite') return [measure.suite];
  return [...new Set(ladder.flatMap(({ suite }) => suite ?? []))];
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}

/** The end of a sentence. */
export function failedNames(failures: readonly string[]): string {
  if (failures.length === 0) return '';
  const more = failures.length > NAMES_MAX ? ', …' : '';
  return `; failed: ${failures.slice(0, NAMES_MAX).join(', ')}${more}`;
}
