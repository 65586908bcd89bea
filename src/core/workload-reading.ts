/** What a workload says of a feature flag that it reads only at its start. */

export type WorkloadReading =
  | {
      readonly type: 'read';
      /** The flag's share that its template was last restarted for; undefined where it never was. */
      readonly mark: number | undefined;
      /** True when every pod is of the template as it is now, and available. */
      readonly isRolledOut: boolean;
      /** Why its pods are not replaced, or it cannot be written: a person must help. */
      readonly obstacle: string | undefined;
    }
  /** Not looked at yet: this passes by itself. */
  | { readonly type: 'unknown' }
  /** The object is not there, so no pod of it runs with any flag. */
  | { readonly type: 'missing'; readonly message: string }
  /** It cannot be read. */
  | { readonly type: 'refused'; readonly message: string };
