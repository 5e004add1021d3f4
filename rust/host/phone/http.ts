/** Requests of the app, by the host's own HTTP client. Bodies are whole in both directions. */
import { call } from '../prelude/native';
import { guard } from '../prelude/errors';

export interface Head {
  status: number;
  statusText: string;
  url: string;
  redirected: boolean;
  headers: [string, string][];
}

export interface HttpRequest {
  method: string;
  url: string;
  headers: [string, string][];
  redirect: 'follow' | 'manual' | 'error';
  body: ArrayBuffer | undefined;
}

type Outcome = { head: Head; body: ArrayBuffer } | { failure: string };

const inFlight = new Map<number, (outcome: Outcome) => void>();
let lastId = 0;

/** Takes the end of a request, from the host. */
export function fetched(id: number, head: string | null, body: ArrayBuffer | string): void {
  const settle = inFlight.get(id);
  inFlight.delete(id);
  if (!settle) return;
  guard(settle, head === null ? { failure: body as string } : { head: JSON.parse(head) as Head, body: body as ArrayBuffer });
}

/** Starts a request; answers how to abort it, after which nothing is called any more. */
export function request({ method, url, headers, redirect, body }: HttpRequest, done: (outcome: Outcome) => void): () => void {
  const id = ++lastId;
  inFlight.set(id, done);
  try {
    call('fetch', { id, method, url, headers, redirect, has_body: body !== undefined }, body);
  } catch (thrown) {
    inFlight.delete(id);
    setTimeout(() => done({ failure: (thrown as Error).message }), 0);
  }
  return () => {
    if (inFlight.delete(id)) call('abortFetch', { id });
  };
}

/** How many requests wait for their end. */
export const requestsInFlight = (): number => inFlight.size;
