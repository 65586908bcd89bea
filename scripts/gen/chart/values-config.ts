/** `config`: the controller's own configuration file, by the very schema that the controller reads it with. */
import { settingsSchema } from '../../../src/config/settings.ts';

/** What the chart itself decides, so that nothing has to be said twice. */
export const chartSettings = [
  'kubeconfig',
  'namespace',
  'metricsAddress',
  'healthAddress',
  'leaderElect',
] as const;

const open = settingsSchema.omit({
  kubeconfig: true,
  namespace: true,
  metricsAddress: true,
  healthAddress: true,
  leaderElect: true,
});

export const configSchema = open
  .partial()
  .prefault({})
  .describe(
    "Fields of the controller's configuration file, such as `prometheusUrl`: see Configuration below.",
  );
