/** Units of conditions, as Grafana and Prometheus' templates show values that are in base units. */
import type { Unit } from '#api/condition-text.ts';

type Family = 'share' | 'time' | 'bytes' | 'binaryBytes' | 'number';

export function familyOf(unit: Unit): Family {
  switch (unit) {
    case '%':
      return 'share';
    case 'ms':
    case 's':
    case 'm':
    case 'h':
      return 'time';
    case 'B':
    case 'KB':
    case 'MB':
    case 'GB':
      return 'bytes';
    case 'KiB':
    case 'MiB':
    case 'GiB':
      return 'binaryBytes';
    default:
      return 'number';
  }
}

const grafanaUnits = {
  share: { unit: 'percentunit' },
  time: { unit: 's' },
  bytes: { unit: 'decbytes' },
  binaryBytes: { unit: 'bytes' },
  number: { unit: 'short' },
} as const satisfies Record<Family, { readonly unit: string }>;

export function grafanaUnit(unit: Unit): { readonly unit: string } {
  return grafanaUnits[familyOf(unit)];
}

const templates = {
  share: '{{ $value | humanizePercentage }}',
  time: '{{ $value | humanizeDuration }}',
  bytes: '{{ $value | humanize }}B',
  binaryBytes: '{{ $value | humanize1024 }}B',
  number: '{{ $value }}',
} as const satisfies Record<Family, string>;

/** For annotations of alerts. */
export function valueTemplate(unit: Unit): string {
  return templates[familyOf(unit)];
}
