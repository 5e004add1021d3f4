/**
 * How the engine gets credentials. Owns the app-side interface and the answer to the engine's question; guarantees that
 * each question is answered exactly once and that no token enters a message. It has no clock: the engine gives up on a
 * connector that hangs after `sync.credentialsTimeoutMs`.
 */
import { describe, isRecord } from './describe';
import type { Spec } from './NativeOmniiSync';
import type { NativeCredentials } from './types';

/** Where to sync and as whom. */
export type Credentials = {
  /** The backend's base, for example `https://api.example.com/api/powersync`. Trailing slashes are ignored. */
  endpoint: string;
  /** Bearer token (JWT). Kept in memory only. */
  token: string;
  /** When the token expires; the engine asks for another one beforehand. Left out: it asks when the backend says 401. */
  expiresAt?: Date | null | undefined;
};

/** What the engine knows when it asks. */
export type CredentialsHint = {
  /**
   * The token this open database was given last. The engine asks again only because that token has expired, is about
   * to, or was refused, so handing out the same one again does not help. Absent at the first question.
   */
  previousToken?: string;
};

/** What the app supplies. `supabaseConnector` makes one from a supabase-js client. */
export type SyncConnector = {
  /**
   * Answers credentials, or null when nobody is signed in (syncing waits, local work goes on; it is not an error of
   * the connector). A rejection becomes `currentStatus.error` with code `CredentialsFailed` and is retried with
   * backoff. Called at the first connection, before a token expires and after the backend refused one. The engine never
   * asks twice at a time; `getConnector().fetchCredentials()` asks beside it.
   */
  fetchCredentials(hint?: CredentialsHint): Promise<Credentials | null>;
};

/** Tokens look like this; an app's error message may quote one, ours must not. */
const jwt = /eyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g;

/** Takes what `fetchCredentials` answered; throws an `Error` that says what is wrong with it. */
export function checkCredentials(answer: unknown): NativeCredentials {
  if (answer === null) {
    return null;
  }
  if (!isRecord(answer)) {
    throw new Error(
      `fetchCredentials must answer { endpoint, token, expiresAt? }, or null when signed out; got ${describe(answer)}`
    );
  }
  const { endpoint, token, expiresAt = null } = answer;
  if (typeof endpoint !== 'string' || !/^https?:\/\/[^/\s]/i.test(endpoint)) {
    const got = typeof endpoint === 'string' && endpoint !== '' ? 'another string' : describe(endpoint);
    throw new Error(`fetchCredentials: endpoint must be a URL that begins with https:// or http://; got ${got}`);
  }
  if (typeof token !== 'string' || token === '') {
    throw new Error(`fetchCredentials: token must be a non-empty string; got ${describe(token)}`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new Error('fetchCredentials: token holds a space or a character that an HTTP header can not carry');
  }
  if (expiresAt !== null && !(expiresAt instanceof Date && Number.isFinite(expiresAt.getTime()))) {
    const got = expiresAt instanceof Date ? 'an invalid Date' : describe(expiresAt);
    throw new Error(`fetchCredentials: expiresAt must be a Date or left out; got ${got}`);
  }
  return { endpoint: endpoint.replace(/\/+$/, ''), token, expiresAt: expiresAt === null ? null : expiresAt.getTime() };
}

/** Words for what `fetchCredentials` threw: never empty, without anything that looks like a token. */
export function credentialsMessage(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.trim() === '' ? 'fetchCredentials failed without a message' : message.replace(jwt, '[token]');
}

/** Answers the engine's questions for one open database, as long as `isOpen()`. */
export function createCredentialsResponder(
  native: Pick<Spec, 'provideCredentials'>,
  databaseId: number,
  connector: SyncConnector,
  isOpen: () => boolean
): (requestId: number) => Promise<void> {
  let previousToken: string | undefined;
  return async (requestId) => {
    let credentials: NativeCredentials = null;
    let error = '';
    try {
      credentials = checkCredentials(
        await connector.fetchCredentials(previousToken === undefined ? {} : { previousToken })
      );
      previousToken = credentials?.token;
    } catch (thrown) {
      error = credentialsMessage(thrown);
    }
    if (isOpen()) {
      native.provideCredentials(databaseId, requestId, JSON.stringify(credentials), error);
    }
  };
}
