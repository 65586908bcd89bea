/** Whether people can be told, and how long messages wait. */
import type { NoticeObserver } from '#ports/notifier.ts';
import type { Instruments } from './instruments.ts';

const REASONS = ['refused', 'old', 'full'] as const;

/** @returns an observer for these channels, whose series are there from the start */
export function createNoticeMetrics(
  instruments: Instruments,
): (channels: readonly string[]) => NoticeObserver {
  const sent = instruments.counter('genesis_notifications_sent_total');
  const failed = instruments.counter('genesis_notifications_failed_total');
  const lost = instruments.counter('genesis_notifications_lost_total');
  const waiting = instruments.gauge('genesis_notifications_waiting');
  const oldest = instruments.gauge('genesis_notifications_oldest_timestamp_seconds');
  const durations = instruments.histogram('genesis_notification_duration_seconds');
  return (channels) => {
    for (const channel of channels) {
      sent.inc({ channel }, 0);
      failed.inc({ channel }, 0);
      for (const why of REASONS) lost.inc({ channel, why }, 0);
      waiting.set({ channel }, 0);
      oldest.set({ channel }, 0);
      durations.zero({ channel });
    }
    return {
      sent: (channel, durationMs) => {
        sent.inc({ channel });
        durations.observe({ channel }, durationMs / 1000);
      },
      failed: (channel) => failed.inc({ channel }),
      lost: (channel, why) => lost.inc({ channel, why }),
      waiting: (channel, count, oldestAtMs) => {
        waiting.set({ channel }, count);
        oldest.set({ channel }, (oldestAtMs ?? 0) / 1000);
      },
    };
  };
}
