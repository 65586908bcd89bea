/** Rules as Prometheus has loaded them: whether one is evaluated, and which one records a metric. */
import { spanText } from '#core/time.ts';
import type { LoadedRule, Told } from '#ports/monitoring-systems.ts';
import { broken, type Draft, fine } from './finding.ts';
import type { Questions } from './questions.ts';

/** The rule that records the metric; told undefined: there is none. */
export async function recordingRule(
  asked: Questions,
  metric: string | undefined,
): Promise<Told<LoadedRule | undefined>> {
  const told = await asked.rules();
  if (told.type !== 'told') return told;
  const found = told.value.filter(({ type, name }) => type === 'recording' && name === metric);
  // Several may record parts of it: one that fails says most.
  return { type: 'told', value: found.find(({ health }) => health !== 'ok') ?? found[0] };
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
