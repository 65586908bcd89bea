/** How many Ready endpoints a Service has, from the watch cache of EndpointSlices. */
export interface Endpoints {
  /** Ready, not terminating endpoints of a Service; 0 when it has none or does not exist. */
  ready(namespace: string, service: string): number;
}
