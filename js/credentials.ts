/**
 * The engine's questions for credentials, answered by the app's connector. Guarantees that each question is answered
 * exactly once, that no token enters a message, and that a renewed token is told to the engine once: not when the engine
 * itself had caused it. It has no clock for the engine's questions: the engine gives up on a connector that hangs after
 * `sync.credentialsTimeoutMs`.
 */
import type { Credentials, CredentialsChange, SyncConnector } from './connector';
import { describe, isRecord } from './describe';
import { SyncError } from './errors';
import { reportListenerError } from './listeners';
import type { Spec } from './NativeOmniiSync';
import type { NativeCredentials, NativeCredentialsError } from './types';

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

/** The text with everything that looks like a token taken out. */
export function withoutTokens(message: string): string {
  return message.replace(jwt, '[token]');
}

/** Words for what `fetchCredentials` threw: never empty, without anything that looks like a token. */
export function credentialsMessage(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.trim() === '' ? 'fetchCredentials failed without a message' : withoutTokens(message);
}

/** What the engine is told of what `fetchCredentials` threw: only a `SyncError` of the code `Network` is no fault of the connector. */
export function credentialsError(thrown: unknown): NativeCredentialsError {
  const isOffline = thrown instanceof SyncError && thrown.code === 'Network';
  return { code: isOffline ? 'Network' : 'CredentialsFailed', message: credentialsMessage(thrown) };
}

/** What `answer` resolves to; rejects with `CredentialsTimeout` if that takes longer. */
async function inTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new SyncError('CredentialsTimeout', `fetchCredentials did not answer within ${timeoutMs} ms`, true));
    }, timeoutMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks the connector beside the engine. Rejects with `CredentialsFailed` or `CredentialsTimeout`. */
export async function askConnector(connector: SyncConnector, timeoutMs: number): Promise<Credentials | null> {
  try {
    const answer = await inTime(connector.fetchCredentials(), timeoutMs);
    checkCredentials(answer);
    return answer;
  } catch (thrown) {
    throw thrown instanceof SyncError ? thrown : new SyncError('CredentialsFailed', credentialsMessage(thrown), true);
  }
}

/** Whose credentials, from whom, and for how long. */
export type CredentialsContext = {
  databaseId: number;
  userId: string;
  connector: SyncConnector;
  /** Questions of a database that has ended are not answered. */
  isWanted: () => boolean;
  /** What the engine was told is out of date; it must ask again. */
  changed: () => void;
};

export type CredentialsResponder = {
  answer: (requestId: number) => Promise<void>;
  /** Listens to `connector.subscribe`, if there is one. Answers the function that ends that; neither throws. */
  listen: () => () => void;
};

/** Answers the engine's questions for one open database. */
export function createCredentialsResponder(
  native: Pick<Spec, 'provideCredentials'>,
  { databaseId, userId, connector, isWanted, changed }: CredentialsContext
): CredentialsResponder {
  let previousToken: string | undefined;
  let asked = false;
  /** The last question, while it is being answered; one before it that hangs is of no interest any more. */
  let underWay: number | null = null;
  let heardMeanwhile: CredentialsChange | null = null;

  const hear = (change: CredentialsChange = {}): void => {
    if (!asked || !isWanted() || (change.userId !== undefined && change.userId !== userId)) {
      return;
    }
    if (underWay !== null) {
      heardMeanwhile = change;
    } else if (change.token === undefined || change.token !== previousToken) {
      changed();
    }
  };
  /** A connector that refreshes to answer makes its client tell so; only what goes beyond that answer is news. */
  const judge = (): void => {
    const change = heardMeanwhile;
    heardMeanwhile = null;
    if (change === null || !isWanted()) {
      return;
    }
    if (change.token === undefined ? previousToken === undefined : change.token !== previousToken) {
      changed();
    }
  };

  return {
    answer: async (requestId) => {
      let credentials: NativeCredentials = null;
      let error = '';
      asked = true;
      underWay = requestId;
      try {
        const hint = previousToken === undefined ? { userId } : { previousToken, userId };
        credentials = checkCredentials(await connector.fetchCredentials(hint));
        previousToken = credentials?.token;
      } catch (thrown) {
        error = JSON.stringify(credentialsError(thrown));
      }
      if (isWanted()) {
        native.provideCredentials(databaseId, requestId, JSON.stringify(credentials), error);
      }
      if (underWay === requestId) {
        underWay = null;
        judge();
      }
    },
    listen: () => {
      let end: unknown;
      try {
        end = connector.subscribe?.(hear);
      } catch (thrown) {
        reportListenerError("the connector's subscribe", thrown);
      }
      return () => {
        try {
          if (typeof end === 'function') {
            (end as () => void)();
          }
        } catch (thrown) {
          reportListenerError("what the connector's subscribe answered", thrown);
        }
      };
    },
  };
}
