/** `spec.monitoring`: what is made for a rollout only where it is asked for. */
import { z } from 'zod';
import { defaults } from './defaults.ts';
import { duration } from './duration.ts';
import { atLeast, text } from './scalars.ts';

export const monitoringSchema = z
  .object({
    serviceMonitor: z
      .object({
        port: text('The name of the port that serves the metrics, as both Services call it.', 63),
        path: z
          .string()
          .regex(/^[/][^\s]*$/)
          .max(1024)
          .describe('Where the metrics are served.')
          .default(defaults.serviceMonitor.path),
        scheme: z
          .enum(['http', 'https'])
          .describe('How they are served.')
          .default(defaults.serviceMonitor.scheme),
        interval: atLeast('1s', duration('How often they are scraped.')).default(
          defaults.serviceMonitor.interval,
        ),
      })
      .describe(
        'Has the operator make a ServiceMonitor for the Services of stable and canary, and for no other.',
      )
      .optional(),
  })
  .describe('What is made for people who watch the rollout; alerts and a dashboard always are.');
