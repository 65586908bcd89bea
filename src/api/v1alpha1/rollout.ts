/** GenesisRollout: the schema of the whole object, and the names that everybody else uses for its parts. */
import { z } from 'zod';
import { metadataSchema } from './metadata.ts';
import { operatorRules } from './operator-rules.ts';
import { referenceTwins } from './references.ts';
import { rolloutSpecObject } from './spec.ts';
import { specTwins, workloadImmutable } from './spec-rules.ts';
import { rolloutStatusSchema } from './status.ts';
import { type Plain, withCel, withCheck, withTwins } from './twin.ts';

export const rolloutSpecSchema = withCheck(
  withCel(withTwins(rolloutSpecObject, [...specTwins, ...referenceTwins]), workloadImmutable),
  (spec) =>
    operatorRules.flatMap(({ name, check }) =>
      check(spec).map((finding) => ({ ...finding, rule: name })),
    ),
);

export const rolloutSchema = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: metadataSchema,
  spec: rolloutSpecSchema,
  status: rolloutStatusSchema.optional(),
});

export type Rollout = Plain<z.output<typeof rolloutSchema>>;
export type RolloutMetadata = Rollout['metadata'];
export type { Analysis, Header, Metric, PrometheusSpec, Ratio } from './analysis.ts';
export type { HealthSuite } from './health-suite.ts';
export type { NotificationKind, Notify } from './notify.ts';
export type { Preflight } from './preflight.ts';
export type { RollbackSpec, RollbackStageName } from './rollback.ts';
export type {
  Approval,
  Checkpoint,
  CheckpointRequirement,
  Freeze,
  Schedule,
  Step,
} from './schedule.ts';
export type { RolloutSpec, RolloutSpecInput, Snapshots, Workload } from './spec.ts';
export type { Criterion, Success, SuccessRequirement } from './success.ts';
export type { Backend, FeatureFlag, Route, Traffic } from './traffic.ts';
export type { CanaryDown, Rung, Severity, Trigger } from './trigger.ts';
