/** The Alertmanagers that alerts are sent to: which there are, and which of them answer. */
import type { SystemHealth } from '#core/chain.ts';
import type { AlertRouter, MonitoringSystems } from '#ports/monitoring-systems.ts';
import {
  advice,
  broken,
  cannotTell,
  counted,
  type Draft,
  fine,
  listed,
  notTold,
} from './finding.ts';
import type { Questions } from './questions.ts';

export interface AlertRouters {
  readonly drafts: readonly Draft[];
  /** Those that may be asked and answer. */
  readonly answering: readonly AlertRouter[];
  readonly health: SystemHealth;
}

const place = { link: 'alertmanager', subject: 'Alertmanager' } as const;

/** @param isPrometheusUp otherwise only those of the operator's configuration are asked */
export async function alertRouters(
  asked: Questions,
  systems: MonitoringSystems,
  isPrometheusUp: boolean,
): Promise<AlertRouters> {
  const sent = isPrometheusUp ? await sendsTo(asked) : { drafts: [], urls: [] };
  const named = sent.urls.map((url) => ({ url, router: systems.alertRouterAt(url) }));
  const found = named.flatMap(({ router }) => router ?? []);
  const routers = systems.alertRouters.length > 0 ? systems.alertRouters : found;
  if (routers.length === 0) {
    const barred = named.map(({ url }) => url);
    const drafts =
      barred.length === 0
        ? sent.drafts
        : [
            ...sent.drafts,
            cannotTell(
              place,
              `whether ${listed(barred)} answers cannot be told: its address may not be asked`,
            ),
          ];
    return { drafts, answering: [], health: { state: 'NotConfigured' } };
  }
  return await answersOf(asked, routers, sent.drafts);
}

async function sendsTo(
  asked: Questions,
): Promise<{ readonly drafts: readonly Draft[]; readonly urls: readonly string[] }> {
  const told = await asked.alertmanagers();
  if (told.type !== 'told') {
    return { drafts: [notTold(place, 'to which Alertmanager Prometheus sends', told)], urls: [] };
  }
  if (told.value.length > 0) {
    return {
      drafts: [fine(place, `Prometheus sends to ${listed(told.value, 3)}`)],
      urls: told.value,
    };
  }
  const draft = broken(place, {
    cause: 'nobodyTold',
    message: 'Prometheus sends alerts to no Alertmanager',
    mend: 'Name one under `alerting.alertmanagers` of its configuration, or `spec.alerting` of the Prometheus object.',
  });
  return { drafts: [draft], urls: [] };
}

/** One that answers is enough: several share their alerts. */
async function answersOf(
  asked: Questions,
  routers: readonly AlertRouter[],
  before: readonly Draft[],
): Promise<AlertRouters> {
  const told = await Promise.all(
    routers.map((router) => asked.turn(() => router.health(asked.signal))),
  );
  const answering = routers.filter((_, index) => told[index]?.type === 'told');
  const silent = routers.flatMap(({ url }, index) => {
    const one = told[index];
    return one === undefined || one.type === 'told' ? [] : [`${url}: ${one.message}`];
  });
  const fault = {
    cause: 'unreachable',
    message: `${counted(silent.length, 'Alertmanager')} of ${routers.length} ${silent.length === 1 ? 'does' : 'do'} not answer: ${listed(silent, 2)}`,
    mend: 'See that it runs, and that the operator may reach it.',
  } as const;
  if (answering.length === 0) {
    const health = { state: 'Down', message: listed(silent, 2) } as const;
    return { drafts: [...before, broken(place, fault)], answering, health };
  }
  const answers = fine(
    place,
    `${listed(
      answering.map(({ url }) => url),
      3,
    )} ${answering.length === 1 ? 'answers' : 'answer'}`,
  );
  const drafts = silent.length === 0 ? [answers] : [answers, advice(place, fault)];
  return { drafts: [...before, ...drafts], answering, health: { state: 'Up' } };
}
