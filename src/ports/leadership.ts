/** Which of several processes may act. */
export interface Leadership {
  /** True only while this process may still write, judged by its own clock. */
  mayWrite(): boolean;
  /** Aborted when leadership is lost: everything in flight must stop. */
  readonly lost: AbortSignal;
}
