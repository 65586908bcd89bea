/** In a file of its own: whoever only tells it from other errors need not load what reads a kubeconfig. */

/** The kubeconfig or a flag cannot be used; the message says which, and what there is. */
export class KubeconfigProblem extends Error {
  override readonly name = 'KubeconfigProblem';
}
