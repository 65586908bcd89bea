/** `spec.preflight`: what is proved before any traffic moves. */
import { z } from 'zod';
import { defaults } from './defaults.ts';
import { duration } from './duration.ts';
import { limits } from './limits.ts';
import { atLeast, count, keyedList, setOf, text } from './scalars.ts';
import type { Plain } from './twin.ts';

export const preflightSchema = z
  .object({
    policy: z
      .enum(['Require', 'Advise', 'Skip'])
      .describe(
        '`Require`: the first rise waits until it passes. `Advise`: what fails is only told. `Skip`: not run.',
      )
      .default(defaults.preflight.policy),
    alertRules: setOf(text('The name of an alerting rule.', 253), limits.alertRulesMax)
      .describe('Alerting rules that Prometheus must have loaded and evaluated.')
      .default([]),
    dashboards: keyedList(
      z.object({ uid: text('The uid of the dashboard.', 64) }),
      'uid',
      limits.dashboardsMax,
    )
      .describe('Grafana dashboards that must be there.')
      .default([]),
    targets: keyedList(z.object({ job: text('The job label.', 253) }), 'job', limits.targetsMax)
      .describe('Scrape jobs that must be up.')
      .default([]),
    backtest: z
      .object({
        window: atLeast('1m', duration("How much of stable's history.")),
        maxFirings: count('How often a trigger may have fired in it.', 0, 1000).default(
          defaults.preflight.backtestMaxFirings,
        ),
      })
      .describe("Triggers are tried on stable's history before they are trusted.")
      .optional(),
  })
  .describe('Checks before the first traffic change, besides every query in use.');

export type Preflight = Plain<z.output<typeof preflightSchema>>;
