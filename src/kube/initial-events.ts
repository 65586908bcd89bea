/** The objects of a watch-list, gathered until the bookmark that says they are complete. */
import type { KubeObject } from '#ports/cluster.ts';
import type { WatchEvent } from './watch-stream.ts';

export class InitialEvents {
  readonly #objects = new Map<string, KubeObject>();
  #isComplete = false;

  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Hands the objects over and keeps none: this outlives them by the length of the watch. */
  takeObjects(): readonly KubeObject[] {
    const objects = [...this.#objects.values()];
    this.#objects.clear();
    return objects;
  }

  /** Objects may change, and go, while the others are still being sent. */
  take(event: WatchEvent, transform: (object: KubeObject) => KubeObject): void {
    switch (event.type) {
      case 'BOOKMARK':
        this.#isComplete = event.endsInitialEvents;
        return;
      case 'DELETED':
        this.#objects.delete(keyOf(event.object));
        return;
      case 'ADDED':
      case 'MODIFIED':
        this.#objects.set(keyOf(event.object), transform(event.object));
    }
  }
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
