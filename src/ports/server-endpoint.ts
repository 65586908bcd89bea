/** A server that is asked over HTTP: where it is and what it wants to see of whoever asks. */
/** Where to ask, resolved from spec and operator defaults, secrets already read. */
export interface ServerEndpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly serverName?: string;
    readonly insecureSkipVerify?: boolean;
  };
}
