/**
 * The two e-values of the sequential judge. An e-value is the evidence against "canary is healthy": its expectation
 * is at most 1 while that is true, at every number of requests. So by Ville's inequality the chance that it ever
 * reaches 1/α is at most α, however often it is looked at.
 *
 * Sources: "Anytime-valid inference for multinomial count data" (NeurIPS 2022); "Rapid regression detection in
 * software deployments through sequential testing" (arXiv 2205.14762), whose counting processes these are.
 */
import { assert } from '#core/assert.ts';
import { judgeSettings } from './settings.ts';

/** Requests of one arm since the same instant, and how many of them were bad. Fractions are allowed. */
export interface ArmCounts {
  readonly bad: number;
  readonly total: number;
}

/**
 * Canary against stable. H0: λc ≤ m·λb, where λ is the share of bad requests.
 *
 *   θ0 = m·Nc / (m·Nc + Nb),  θr = r·m·Nc / (r·m·Nc + Nb)
 *   e  = mean over r of (θr/θ0)^Xc · ((1−θr)/(1−θ0))^Xb
 *
 * Given that a request is bad, θ is the chance that it was canary's. What hits both arms alike leaves θ as it is,
 * which is why a common cause is no evidence. With ρ = Nc/Nb the r-th logarithm is
 * Xc·ln r + (Xc+Xb)·(ln(1+mρ) − ln(1+rmρ)), which neither overflows nor cancels.
 *
 * @param factor m, the factor that is tolerated
 * @returns ln e; 0 while either arm has had no request
 */
export function relativeLogE(
  canary: ArmCounts,
  stable: ArmCounts,
  factor: number = judgeSettings.toleratedFactor,
): number {
  assert(factor > 0, 'the tolerated factor is above 0');
  if (canary.total <= 0 || stable.total <= 0) return 0;
  const rho = (factor * canary.total) / stable.total;
  const all = canary.bad + stable.bad;
  return logMeanExp(
    judgeSettings.alternatives.map(
      (r) => canary.bad * Math.log(r) + all * (Math.log1p(rho) - Math.log1p(r * rho)),
    ),
  );
}

/**
 * Canary against a fixed share, where there is no stable to compare with. H0: p ≤ p0.
 *
 *   e = mean over k of (pk/p0)^Xc · ((1−pk)/(1−p0))^(Nc−Xc),  pk = min(k·p0, (1+p0)/2)
 *
 * The second term keeps pk a probability where p0 is large.
 *
 * @param limit p0, above 0 and below 1
 * @returns ln e
 */
export function absoluteLogE({ bad, total }: ArmCounts, limit: number): number {
  assert(limit > 0 && limit < 1, 'the share tolerated is above 0 and below 1');
  const good = Math.max(0, total - bad);
  return logMeanExp(
    judgeSettings.alternatives.map((k) => {
      const share = Math.min(k * limit, (1 + limit) / 2);
      return bad * Math.log(share / limit) + good * (Math.log1p(-share) - Math.log1p(-limit));
    }),
  );
}

/** ln of the mean of exponentials, by the largest, so that none of them overflows. */
function logMeanExp(logs: readonly number[]): number {
  const largest = Math.max(...logs);
  const sum = logs.reduce((all, one) => all + Math.exp(one - largest), 0);
  return largest + Math.log(sum / logs.length);
}
