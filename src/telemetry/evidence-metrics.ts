/** Whether evidence reaches its store. */
import type { Instruments } from './instruments.ts';

const OUTCOMES = ['kept', 'failed', 'lost'] as const;

export interface EvidenceObserver {
  told(outcome: (typeof OUTCOMES)[number], count: number): void;
}

export function createEvidenceMetrics(instruments: Instruments): EvidenceObserver {
  const lines = instruments.counter('genesis_evidence_lines_total');
  for (const outcome of OUTCOMES) lines.inc({ outcome }, 0);
  return { told: (outcome, count) => lines.inc({ outcome }, count) };
}
