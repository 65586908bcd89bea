/**
 * One request to a server and its whole answer, within a size limit and until the signal says stop. Uses undici's
 * dispatch, not fetch: a hundred small queries a second must cost a few millicores.
 */
import type { Dispatcher } from 'undici';

export interface Exchange {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly responseBytesMax: number;
}

export interface HttpAnswer {
  readonly type: 'answer';
  readonly status: number;
  readonly contentType: string;
  readonly date: string | undefined;
  /** True when a cache says that it has kept the answer: its Date tells nothing about now. */
  readonly cached: boolean;
  readonly location: string | undefined;
  readonly text: string;
  readonly bytes: number;
}

export type ExchangeResult =
  | HttpAnswer
  | { readonly type: 'tooLarge' }
  | {
      readonly type: 'failed';
      readonly error: Error;
      /** True when the connection broke before one byte of the answer had come. */
      readonly brokenBeforeAnswer: boolean;
    };

type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What a keep-alive connection that the server has closed meanwhile fails with. */
const BROKEN_CODES = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

export function sendRequest(
  dispatcher: Dispatcher,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<ExchangeResult> {
  return new Promise((resolve) => {
    const collector = new Collector(exchange.responseBytesMax, signal, resolve);
    dispatcher.dispatch(
      {
        path: exchange.path,
        method: exchange.method,
        headers: exchange.headers,
        body: exchange.body,
        // Our own deadline, the signal, covers connecting, waiting and reading.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      collector,
    );
  });
}

/** undici calls these methods in turn; whichever way it ends, `settle` is called once. */
class Collector implements Dispatcher.DispatchHandler {
  readonly #bytesMax: number;
  readonly #signal: AbortSignal;
  readonly #resolve: (result: ExchangeResult) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: ResponseHeaders = {};
  #chunks: Buffer[] = [];
  #bytes = 0;
  #settled = false;

  constructor(bytesMax: number, signal: AbortSignal, resolve: (result: ExchangeResult) => void) {
    this.#bytesMax = bytesMax;
    this.#signal = signal;
    this.#resolve = resolve;
    if (signal.aborted) this.#stop();
    else signal.addEventListener('abort', this.#stop, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Stopped while it still waited for a connection: the request must not be sent any more.
    if (this.#settled) controller.abort(new Error('stopped before it was sent'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: ResponseHeaders,
  ): void {
    this.#status = statusCode;
    this.#headers = headers;
    if (Number(headers['content-length']) > this.#bytesMax) this.#refuseSize();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#bytesMax) this.#refuseSize();
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [only] = this.#chunks;
    const body = this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks);
    this.#settle({
      type: 'answer',
      status: this.#status,
      contentType: header(this.#headers, 'content-type') ?? '',
      date: header(this.#headers, 'date'),
      cached: Number(header(this.#headers, 'age') ?? 0) > 0,
      location: header(this.#headers, 'location'),
      text: body.toString('utf8'),
      bytes: this.#bytes,
    });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const brokenBeforeAnswer = this.#status === 0 && BROKEN_CODES.has(errorCode(error));
    this.#settle({ type: 'failed', error, brokenBeforeAnswer });
  }

  #refuseSize(): void {
    this.#settle({ type: 'tooLarge' });
    this.#controller?.abort(new Error('the answer is too large'));
  }

  readonly #stop = (): void => {
    const error = toError(this.#signal.reason);
    this.#settle({ type: 'failed', error, brokenBeforeAnswer: false });
    this.#controller?.abort(error);
  };

  #settle(result: ExchangeResult): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#chunks = [];
    this.#signal.removeEventListener('abort', this.#stop);
    this.#resolve(result);
  }
}

/** The code of a system, TLS or undici error; '' when it has none. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

function header(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
