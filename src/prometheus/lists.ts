/** What Prometheus and its kin say of themselves: their lists of targets, rules, Alertmanagers and values of labels. */
import { z } from 'zod';
import type { LoadedRule, ScrapeTarget } from '#ports/monitoring-systems.ts';
import { durationMs } from '#promql/duration.ts';

/** From what stands in `data` to the list; undefined when it is no such list. */
export type ReadList<T> = (data: unknown) => readonly T[] | undefined;

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

/** Go's time of nothing, `0001-01-01T00:00:00Z`, is before all others. */
const time = z
  .string()
  .nullish()
  .transform((value) => {
    const atMs = value === null || value === undefined ? Number.NaN : Date.parse(value);
    return atMs > 0 ? atMs : undefined;
  });

const targets = z.object({
  activeTargets: z
    .array(
      z.object({
        labels,
        scrapeUrl: text,
        health: text,
        lastError: text,
        lastScrape: time,
        scrapeInterval: text,
      }),
    )
    .nullish(),
});

export const readTargets: ReadList<ScrapeTarget> = (data) =>
  targets.safeParse(data).data?.activeTargets?.map((target) => ({
    job: target.labels['job'] ?? '',
    instance: target.labels['instance'] ?? '',
    scrapeUrl: target.scrapeUrl,
    health: target.health === 'up' || target.health === 'down' ? target.health : 'unknown',
    lastError: target.lastError,
    lastScrapeAtMs: target.lastScrape,
    scrapeIntervalMs: durationMs(target.scrapeInterval),
  }));

const rules = z.object({
  groups: z
    .array(
      z.object({
        name: text,
        file: text,
        interval: z.number().nullish(),
        rules: z
          .array(
            z.object({
              type: z.enum(['alerting', 'recording']),
              name: z.string(),
              query: text,
              labels,
              health: text,
              lastError: text,
              lastEvaluation: time,
            }),
          )
          .nullish(),
      }),
    )
    .nullish(),
});

export const readRules: ReadList<LoadedRule> = (data) => {
  const read = rules.safeParse(data);
  if (!read.success) return undefined;
  return (read.data.groups ?? []).flatMap((group) =>
    (group.rules ?? []).map(({ lastEvaluation, health, ...rule }) => ({
      ...rule,
      group: group.name,
      file: group.file,
      health: health === 'ok' || health === 'err' ? health : 'unknown',
      lastEvaluationAtMs: lastEvaluation,
      intervalMs: Math.round((group.interval ?? 0) * 1_000),
    })),
  );
};

const alertmanagers = z.object({ activeAlertmanagers: z.array(z.object({ url: z.string() })) });

/** Prometheus names where it posts alerts; what stands before that is the Alertmanager's own address. */
export const readAlertmanagers: ReadList<string> = (data) => {
  const found = alertmanagers.safeParse(data).data?.activeAlertmanagers;
  return found && [...new Set(found.map(({ url }) => url.replace(/\/api\/v[12]\/alerts\/?$/, '')))];
};

const values = z.array(z.string()).nullable();

export const readValues: ReadList<string> = (data) => {
  const read = values.safeParse(data);
  return read.success ? (read.data ?? []) : undefined;
};

const build = z.object({ goVersion: z.string().min(1) });

/** VictoriaMetrics claims a version of Prometheus, but not how it was built. */
export const readBuild: ReadList<string> = (data) => {
  const read = build.safeParse(data);
  return read.success ? [read.data.goVersion] : [];
};
