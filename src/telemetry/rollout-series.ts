/**
 * The series of single rollouts. A tick only keeps a reference; all text is made at scrape time, a metric at a
 * time and in chunks, so that a scrape of thousands of rollouts never keeps a due rollback waiting.
 */
import type { RolloutStatus, TriggerStatus } from '#api/status.ts';
import type { ObjectKey } from '#ports/cluster.ts';
import { chainFamilies } from './chain-series.ts';
import { headText, type Labels, labelText, sampleText } from './exposition.ts';
import type { Seen, SeenTrigger } from './look.ts';
import { rollbackFamilies } from './rollback-series.ts';
import { rolloutSeries } from './rollout-catalogue.ts';
import { type Family, type Kept, type Sample, sample } from './series-family.ts';
import { suiteFamilies } from './suite-series.ts';
import { counted, noTallies } from './suite-tally.ts';

interface Entry {
  /** `namespace="shop",rollout="checkout"`: the same in every series of a rollout. */
  readonly labels: string;
  kept: Kept;
}

export class RolloutSeries {
  readonly #entries = new Map<string, Entry>();

  /** @param isPrometheusUp undefined when this look has not asked it */
  keep(key: ObjectKey, seen: Seen, isPrometheusUp?: boolean): void {
    const id = idOf(key);
    const known = this.#entries.get(id);
    const kept = {
      seen,
      tallies: counted(known?.kept.tallies ?? noTallies, seen.suites),
      isPrometheusUp: isPrometheusUp ?? known?.kept.isPrometheusUp,
    };
    if (known !== undefined) {
      known.kept = kept;
      return;
    }
    const labels = labelText([
      ['namespace', key.namespace],
      ['rollout', key.name],
    ]);
    this.#entries.set(id, { labels, kept });
  }

  forget(key: ObjectKey): void {
    this.#entries.delete(idOf(key));
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The text of all series in chunks of about `chunkLength` characters. */
  *text(nowMs: number, chunkLength: number): Generator<string> {
    const entries = [...this.#entries.values()];
    let chunk = '';
    for (const { name, samples } of families) {
      chunk += headText(name, rolloutSeries[name].help, rolloutSeries[name].type);
      for (const { labels, kept } of entries) {
        for (const [extra, value] of samples(kept, nowMs)) {
          chunk += sampleText(name, extra === '' ? labels : `${labels},${extra}`, value);
        }
        if (chunk.length < chunkLength) continue;
        yield chunk;
        chunk = '';
      }
    }
    yield chunk;
  }
}

const families: readonly Family[] = [
  { name: 'genesis_rollout_weight_ratio', samples: ({ seen: { status } }) => share(status.weight) },
  {
    name: 'genesis_rollout_planned_weight_ratio',
    samples: ({ seen: { status } }) => share(plannedWeight(status)),
  },
  {
    name: 'genesis_rollout_phase',
    samples: ({ seen: { status } }) =>
      status.phase === undefined ? [] : one([['phase', status.phase]]),
  },
  {
    name: 'genesis_rollout_step_info',
    samples: ({ seen: { status } }) =>
      status.step === undefined
        ? []
        : one([
            ['step', status.step],
            ['revision', status.revision ?? ''],
          ]),
  },
  {
    name: 'genesis_rollout_step_entered_timestamp_seconds',
    samples: ({ seen: { status } }) =>
      status.stepEnteredAt === undefined
        ? []
        : [sample([['step', status.step ?? '']], Date.parse(status.stepEnteredAt) / 1000)],
  },
  {
    name: 'genesis_rollout_next_step_timestamp_seconds',
    samples: ({ seen: { status } }) => nextStep(status, (atMs) => atMs / 1000),
  },
  {
    name: 'genesis_rollout_next_step_seconds',
    samples: ({ seen: { status } }, nowMs) => nextStep(status, (atMs) => (atMs - nowMs) / 1000),
  },
  {
    name: 'genesis_rollout_condition',
    samples: ({ seen: { status } }) =>
      (status.conditions ?? []).flatMap((condition) =>
        one([
          ['condition', condition.type],
          ['status', condition.status],
        ]),
      ),
  },
  {
    name: 'genesis_rollout_hold',
    samples: ({ seen: { status } }) =>
      (status.holds ?? []).flatMap(({ reason, by }) =>
        one([
          ['reason', reason],
          ['by', by],
        ]),
      ),
  },
  {
    name: 'genesis_trigger_state',
    samples: ({ seen: { triggers } }) =>
      triggers.map((seen) => [`${identity(seen)},state="${seen.status.state}"`, 1]),
  },
  {
    name: 'genesis_trigger_value',
    samples: ({ seen: { triggers } }) =>
      triggers.flatMap((seen): readonly Sample[] =>
        seen.reading?.type === 'value' ? [[identity(seen), seen.reading.value]] : [],
      ),
  },
  {
    name: 'genesis_trigger_threshold',
    samples: ({ seen: { triggers } }) =>
      triggers.map((seen) => [identity(seen), seen.trigger.condition.threshold]),
  },
  {
    name: 'genesis_trigger_active_seconds',
    samples: ({ seen: { triggers } }, nowMs) =>
      triggers.map((seen) => [identity(seen), activeSeconds(seen.status, nowMs)]),
  },
  {
    name: 'genesis_snapshots_expected',
    samples: ({ seen: { snapshots } }) =>
      snapshots === undefined ? [] : [['', snapshots.expected]],
  },
  {
    name: 'genesis_snapshots_missing',
    samples: ({ seen: { snapshots } }) =>
      snapshots === undefined ? [] : [['', snapshots.missing]],
  },
  ...chainFamilies,
  ...rollbackFamilies,
  ...suiteFamilies,
];

function one(labels: Labels): readonly Sample[] {
  return [[labelText(labels), 1]];
}

function share(percent: number | undefined): readonly Sample[] {
  return percent === undefined ? [] : [['', percent / 100]];
}

/** What the status asks the routes for, as the engine computes it. */
function plannedWeight(status: RolloutStatus): number | undefined {
  if (status.rollback !== undefined) return 0;
  const isStep = (point: { kind: string; name: string }): boolean =>
    point.kind === 'Step' && point.name === status.step;
  return status.plan?.find(isStep)?.weight;
}

function nextStep(status: RolloutStatus, value: (atMs: number) => number): readonly Sample[] {
  return status.nextStepAt === undefined ? [] : [['', value(Date.parse(status.nextStepAt))]];
}

function identity({ trigger }: SeenTrigger): string {
  return labelText([
    ['trigger', trigger.name],
    ['severity', trigger.severity],
  ]);
}

/** Gaps without a reading were not held. */
function activeSeconds(status: TriggerStatus, nowMs: number): number {
  const isActive = status.state === 'Pending' || status.state === 'Firing';
  if (!isActive || status.activeAt === undefined) return 0;
  return Math.max(0, nowMs - Date.parse(status.activeAt) - (status.gapMs ?? 0)) / 1000;
}

function idOf({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}
