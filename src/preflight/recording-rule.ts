/** Rules as Prometheus has loaded them: whether one is evaluated, and which one records a metric. */
import { spanText } from '#core/time.ts';
import type { LoadedRule, Told } from '#ports/monitoring-systems.ts';
import { broken, type Draft, fine } from './finding.ts';
import type { Questions } from './questions.ts';
import { maySelect, type Selector } from './selectors.ts';

/** The rules that record the metric, with labels as they are asked for where a rule sets any; told empty: there is none. */
export async function recordingRules(
  asked: Questions,
  selector: Selector,
): Promise<Told<readonly LoadedRule[]>> {
  const told = await asked.rules();
  if (told.type !== 'told') return told;
  const found = told.value.filter(
    ({ type, name }) => type === 'recording' && name === selector.metric,
  );
  const fitting = found.filter(({ labels }) => maySelect(selector, labels));
  return { type: 'told', value: fitting.length > 0 ? fitting : found };
}

/** Lists of rules are shared by all who ask the same Prometheus, so one may have been read so long before. */
const SHARED_MS = 30_000;

/** Whether the rule is evaluated well, and in time: within two of its intervals. */
export function ruleState(asked: Questions, rule: LoadedRule): Draft {
  const kind = rule.type === 'alerting' ? 'alert rule' : 'recording rule';
  const subject = `${kind} ${rule.name}`;
  const place = { link: 'rule', subject } as const;
  const where = `group ${rule.group} of ${rule.file}`;
  if (rule.health === 'err') {
    return broken(place, {
      cause: 'ruleFailing',
      message: `${subject} (${where}) fails: ${rule.lastError === '' ? 'Prometheus does not say why' : rule.lastError}`,
      mend: 'Correct its expression; `promtool check rules` and `promtool test rules` say whether it is well.',
    });
  }
  const { lastEvaluationAtMs, intervalMs } = rule;
  if (rule.health === 'unknown') {
    return broken(place, {
      cause: 'ruleNotEvaluated',
      message: `${subject} (${where}) has not been evaluated yet`,
      mend: 'Wait for its first evaluation.',
    });
  }
  // Not every backend says when, or how often.
  const ageMs = asked.nowMs() - (lastEvaluationAtMs ?? asked.nowMs());
  if (intervalMs > 0 && ageMs > 2 * intervalMs + SHARED_MS) {
    return broken(place, {
      cause: 'ruleNotEvaluated',
      message: `${subject} (${where}) was last evaluated ${spanText(ageMs)} ago, more than two intervals of ${spanText(intervalMs)}`,
      mend: 'Its group takes longer than its interval, or Prometheus is overloaded: split the group, or evaluate it less often.',
    });
  }
  return fine(place, `${subject} is evaluated, and is well`);
}
