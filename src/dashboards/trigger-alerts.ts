/**
 * Triggers as alerting rules, so that people are called by the Alertmanager they have, also while the operator is down. The
 * expression is the engine's own reading of canary, compared in base units.
 */
import type { Unit } from '#api/condition-text.ts';
import { formatDuration } from '#api/duration.ts';
import { triggerAlertLabel } from '#api/names.ts';
import { CANARY_DOWN, canaryDownTrigger } from '#core/builtin-triggers.ts';
import { rungText } from '#core/ladder.ts';
import type { RunSpec, RunTrigger } from '#core/run-spec.ts';
import { measureQuery, ownValue } from './measure-query.ts';
import { valueTemplate } from './units.ts';

/** As a rule file has it. */
export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export function triggerAlerts(run: RunSpec, runbookUrl: string): readonly AlertRule[] {
  return [
    ...run.triggers.flatMap((trigger) => [
      alert(run, trigger, breach(run, trigger), runbookUrl),
      ...silenceAlert(run, trigger, runbookUrl),
    ]),
    ...canaryDownAlert(run, runbookUrl),
  ];
}

/** `error-rate` is `GenesisTriggerErrorRate`. */
export function alertName(trigger: string): string {
  const words = trigger.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return `GenesisTrigger${words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')}`;
}

interface Breach {
  readonly expr: string;
  readonly forMs: number;
  /** What `{{ $value }}` is a value of; undefined where it is only a 1. */
  readonly unit: Unit | undefined;
  /** A clause behind the name of the trigger: `is > 0.5% for 5m`. */
  readonly what: string;
}

function breach(run: RunSpec, trigger: RunTrigger): Breach {
  const { condition, forMs, judge, name } = trigger;
  const held = forMs === 0 ? '' : ` for ${formatDuration(forMs)}`;
  const what = `is ${condition.text}${held}`;
  if (judge.type === 'Sequential') {
    // Its verdict is a test of counts since the run began, which no expression over the present can repeat.
    const firing = ownValue(run, 'genesis_trigger_state', { trigger: name, state: 'Firing' });
    const worse = `is ${condition.text}, by a sequential test`;
    return { expr: `${firing} == 1`, forMs: 0, unit: undefined, what: worse };
  }
  const value = measureQuery(run, trigger);
  const compared = `${value} ${condition.operator} ${condition.threshold}`;
  // NaN differs from everything, and is no reading.
  const expr = condition.operator === '!=' ? `${compared} and ${value} == ${value}` : compared;
  return { expr, forMs, unit: condition.unit, what };
}

/** `noData: Breach`: what does not answer counts as a breach. */
function silenceAlert(run: RunSpec, trigger: RunTrigger, runbookUrl: string): AlertRule[] {
  const { noData, noDataForMs, forMs, measure } = trigger;
  if (noData !== 'Breach') return [];
  const silent = `absent(${measureQuery(run, trigger)})`;
  // At weight 0 nobody asks canary anything, and its silence says nothing.
  const weight = ownValue(run, 'genesis_rollout_weight_ratio', {});
  const expr = measure.isArmBound ? `${silent} and on () ${weight} > 0` : silent;
  const what = `has had no reading for ${formatDuration(noDataForMs)}, which counts as a breach`;
  const found = { expr, forMs: noDataForMs + forMs, unit: undefined, what };
  return [alert(run, trigger, found, runbookUrl)];
}

/** The one trigger that every rollout with Services has. */
function canaryDownAlert(run: RunSpec, runbookUrl: string): AlertRule[] {
  if (run.canary === undefined) return [];
  const active = ownValue(run, 'genesis_trigger_state', {
    trigger: CANARY_DOWN,
    state: 'Firing',
  });
  const what = `has had no Ready endpoint for ${formatDuration(run.canaryDown.forMs)}`;
  const found = { expr: `${active} == 1`, forMs: 0, unit: undefined, what };
  return [alert(run, canaryDownTrigger(run), found, runbookUrl)];
}

function alert(
  run: RunSpec,
  trigger: RunTrigger,
  { expr, forMs, unit, what }: Breach,
  runbookUrl: string,
): AlertRule {
  const { namespace, rollout } = run.placeholders;
  const { name, severity, keepFiringForMs, responder, ladder } = trigger;
  const subject = name === CANARY_DOWN ? 'canary' : name;
  const summary = `${subject} ${what} (rollout ${namespace}/${rollout})`;
  const value = unit === undefined ? '' : ` It is ${valueTemplate(unit)} now.`;
  const response = ladder.map(rungText).join(', ');
  const call = responder === undefined ? '' : ` Responder: ${responder}.`;
  return {
    alert: alertName(name),
    expr,
    ...(forMs === 0 ? {} : { for: formatDuration(forMs) }),
    ...(keepFiringForMs === 0 ? {} : { keep_firing_for: formatDuration(keepFiringForMs) }),
    labels: {
      severity: severity.toLowerCase(),
      namespace,
      rollout,
      [triggerAlertLabel]: name,
      ...(responder === undefined ? {} : { responder: verbatim(responder) }),
    },
    annotations: {
      summary: verbatim(summary),
      description: `${verbatim(`${subject} ${what}.`)}${value} ${verbatim(`What the operator does: ${response}.${call}`)}`,
      runbook_url: verbatim(trigger.runbookUrl ?? `${runbookUrl}/genesistrigger`),
    },
  };
}

/** Prometheus reads annotations and labels as templates; what a person wrote is none. */
function verbatim(text: string): string {
  return text.replaceAll('{{', '{{ "{{" }}');
}
