/** What a failed request means for the person at the terminal: a sentence, what to do next, and the exit code. */
import { ClusterError, type ClusterFault } from '#ports/cluster.ts';
import { type ExitName, Failure } from './command.ts';

interface Advice {
  readonly exit: ExitName;
  readonly next: (error: ClusterError, server: string) => string;
}

/** @param server the API server that was asked, as the kubeconfig names it */
export function failureOf(error: unknown, server: string, interrupted: AbortSignal): unknown {
  if (interrupted.aborted) return new Failure('interrupted', [], { cause: error });
  if (!(error instanceof ClusterError)) return error;
  const { exit, next } = advice[error.fault];
  const sentences = [wordsOf(error), next(error, server)].filter((text) => text !== '');
  return new Failure(exit, sentences, { cause: error });
}

/** What the server itself says, as kubectl prints it; which request it was helps nobody who only typed a command. */
function wordsOf({ message, status }: ClusterError): string {
  const words = message.replace(/^[A-Z]+ \/\S* ?(?:answered [0-9]+: |failed: |: )?/, '').trim();
  return status >= 400 || words === '' ? words || message : `no answer: ${words}`;
}

const advice: Readonly<Record<ClusterFault, Advice>> = {
  forbidden: {
    exit: 'refused',
    next: ({ message }) =>
      /may not|spec\.by/.test(message)
        ? ''
        : 'whoever gives out rights in the cluster can add them; `kubectl auth can-i --list` shows yours, docs/decisions.md a Role',
  },
  unauthorized: {
    exit: 'refused',
    next: (_error, server) =>
      `${server} does not know you: log in again (the token or the certificate in the kubeconfig may have expired), or choose another --context or --user`,
  },
  notFound: { exit: 'notFound', next: () => '' },
  unavailable: { exit: 'failed', next: unreachable },
  timeout: {
    exit: 'failed',
    next: (_error, server) =>
      `${server} did not answer in time: is it up, and is the network in between? --request-timeout waits longer`,
  },
  throttled: { exit: 'failed', next: () => 'the API server is busy: try again in a moment' },
  conflict: { exit: 'failed', next: () => 'somebody else wrote at the same time: try again' },
  alreadyExists: { exit: 'failed', next: () => 'try again' },
  gone: { exit: 'failed', next: () => 'try again' },
  fenced: { exit: 'failed', next: () => '' },
  invalid: { exit: 'badInput', next: () => '' },
};

function unreachable(error: ClusterError, server: string): string {
  const { message, status } = error;
  if (status >= 500) return `${server} is in trouble itself: try again, or look at its own log`;
  if (/certificate has expired|CERT_HAS_EXPIRED/i.test(message)) {
    return `the certificate of ${server} has expired: whoever runs the API server must renew it`;
  }
  if (/self.signed|unable to (?:verify|get)|certificate|altname/i.test(message)) {
    return `the certificate of ${server} is not the one the kubeconfig trusts: is it the right --context, is certificate-authority-data that of this cluster?`;
  }
  if (/ENOTFOUND|EAI_AGAIN/.test(message)) {
    return `the name in ${server} is not known: is the server of the context right, is the VPN up?`;
  }
  if (/spawn/.test(message)) {
    return 'the program that the kubeconfig runs to log in (users[].user.exec) is not there';
  }
  return `nobody answers at ${server}: is the cluster up, is it the right --context, is the VPN up?`;
}
