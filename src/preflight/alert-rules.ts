/** An alert rule that must be there, from Prometheus to a person: loaded, evaluated, sent on, and received by somebody. */
import type { AlertReceiver, LoadedRule } from '#ports/monitoring-systems.ts';
import { nearest } from '#runtime/nearest.ts';
import type { AlertRouters } from './alert-routers.ts';
import {
  broken,
  brokenIn,
  cannotTell,
  type Draft,
  fine,
  listed,
  notTold,
  unless,
} from './finding.ts';
import type { Questions } from './questions.ts';
import { ruleState } from './recording-rule.ts';

export async function checkAlertRule(
  asked: Questions,
  name: string,
  routers: Promise<AlertRouters>,
): Promise<readonly Draft[]> {
  const place = { link: 'rule', subject: `alert rule ${name}` } as const;
  const told = await asked.rules();
  if (told.type !== 'told') return [notTold(place, `alert rule ${name}`, told)];
  const alerting = told.value.filter(({ type }) => type === 'alerting');
  const rules = alerting.filter((rule) => rule.name === name);
  const guess = nearest(
    name,
    alerting.map((rule) => rule.name),
  );
  if (rules.length === 0) {
    return [
      broken(place, {
        cause: 'ruleMissing',
        message: `alert rule ${name} is missing: Prometheus has not loaded it`,
        mend: unless(
          guess,
          'have Prometheus load it: its file must be in rule_files, a PrometheusRule must match ruleSelector and ruleNamespaceSelector.',
        ),
      }),
    ];
  }
  const states = rules.map((rule) => ruleState(asked, rule));
  const bad = brokenIn(states);
  if (bad !== undefined) return [bad];
  const { drafts, answering } = await routers;
  if (brokenIn(drafts) !== undefined || answering.length === 0) return [...states, ...drafts];
  const received = await Promise.all(rules.map((rule) => receiversOf(asked, rule, answering[0])));
  return [...states.slice(0, 1), ...drafts, ...received];
}

/** Alertmanagers of one cluster have one configuration: the first that answers is asked. */
async function receiversOf(
  asked: Questions,
  rule: LoadedRule,
  router: AlertRouters['answering'][number] | undefined,
): Promise<Draft> {
  const labels = { ...rule.labels, alertname: rule.name };
  const place = { link: 'receiver', subject: `alert ${rule.name}` } as const;
  if (router === undefined) return cannotTell(place, 'no Alertmanager could be asked');
  const told = await asked.turn(() => router.receiversOf(labels, asked.signal));
  if (told.type !== 'told') return notTold(place, `who receives alert ${rule.name}`, told);
  const names = told.value.map(({ name }) => name);
  const shown = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  if (told.value.length === 0) {
    return broken(place, {
      cause: 'noReceiver',
      message: `Alertmanager has no receiver for an alert with ${listed(shown)}`,
      mend: 'Add a route for these labels to its configuration, or a receiver to its root route.',
    });
  }
  if (!told.value.some(reaches)) {
    return broken(place, {
      cause: 'nobodyTold',
      message: `alert ${rule.name} goes to ${listed(names)}, which ${names.length === 1 ? 'has' : 'have'} no integration: nobody is told`,
      mend: 'Route the labels of the rule to a receiver that tells somebody, or give that receiver an integration.',
    });
  }
  const telling = told.value.filter(reaches).map(({ name }) => name);
  return fine(place, `alert ${rule.name} is received by ${listed(telling)}`);
}

function reaches({ reachesSomebody }: AlertReceiver): boolean {
  return reachesSomebody;
}
