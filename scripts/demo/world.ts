/** What a run needs around it, wherever that is: a cluster with a gateway, a Prometheus, and two places for versions of the service. */
import type { ApiClient } from '#scripts/testbed/index.ts';
import type { Colour } from './objects.ts';

export interface World {
  readonly client: ApiClient;
  readonly kubeconfigPath: string;
  readonly prometheusUrl: string;
  readonly namespace: string;
  readonly gateway: {
    /** Where customers ask. */
    readonly url: string;
    /** For `parentRefs` of the route. */
    readonly parentRef: { readonly namespace: string; readonly name: string };
  };
  /** Sentences for a person who wants to look around while it runs. */
  readonly howToLook: readonly string[];
  /** Where parts of the world write logs. */
  readonly logFolders: readonly string[];
  /** Puts a version behind a colour's Service, in place of what was there; resolves when it is ready. */
  deploy(colour: Colour, version: string): Promise<void>;
  /** Lets the version behind a colour fail this share of its requests. */
  fail(colour: Colour, errorRate: number): Promise<void>;
  /** Of what must not end by itself, the first that has. */
  ended(): Promise<string | undefined>;
  /** While the controller still runs: takes away what only it can let go of. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}
