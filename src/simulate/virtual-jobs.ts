/** Jobs of a virtual cluster: each is created once, and ends as the world says. */
import type { JobState } from '#core/snapshot.ts';

/** How far a Job is that was created at this time. */
export type JobCourse = (name: string, createdAtMs: number) => JobState;

export class VirtualJobs {
  /** When each was created, by name. */
  readonly created = new Map<string, number>();

  ensure(name: string, nowMs: number): void {
    if (!this.created.has(name)) this.created.set(name, nowMs);
  }

  states(course: JobCourse): ReadonlyMap<string, JobState> {
    return new Map([...this.created].map(([name, atMs]) => [name, course(name, atMs)]));
  }
}
