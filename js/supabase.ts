/**
 * A connector over a supabase-js client. The client is described by structure: `@supabase/supabase-js` is an optional
 * peer and never imported here.
 */
import type { SyncConnector } from './connector';
import { describe, isRecord } from './describe';
import { SyncError } from './errors';

type AuthSession = { access_token: string; expires_at?: number | undefined; user?: { id: string } | undefined };

type SessionAnswer = {
  data: { session: AuthSession | null };
  error: SupabaseError | null;
};

type SupabaseError = { message: string; name?: string | undefined; status?: number | undefined };

/** The part of a supabase-js 2 client that is used. */
export type SupabaseAuthClient = {
  auth: {
    getSession(): Promise<SessionAnswer>;
    refreshSession(): Promise<SessionAnswer>;
    /** Without it the engine learns of a new token when it next asks. */
    onAuthStateChange?(callback: (event: string, session: AuthSession | null) => void): {
      data: { subscription: { unsubscribe(): void } };
    };
  };
};

export type SupabaseConnectorOptions = {
  /** The backend's address, with or without the `/api/powersync` at its end. */
  baseUrl: string;
};

const suffix = '/api/powersync';
/** A session this close to its end is refreshed before its token is handed out. */
const expiryMarginMs = 60_000;

function endpointOf(baseUrl: unknown): string {
  if (typeof baseUrl !== 'string' || !/^https?:\/\/[^/\s]/i.test(baseUrl)) {
    const got = typeof baseUrl === 'string' && baseUrl !== '' ? `'${baseUrl}'` : describe(baseUrl);
    throw new SyncError(
      'InvalidOptions',
      `supabaseConnector: baseUrl must be a URL that begins with https:// or http://; got ${got}`
    );
  }
  const base = baseUrl.replace(/\/+$/, '');
  return base.endsWith(suffix) ? base : base + suffix;
}

/** What a renewal that supabase-js would repeat is to us: no answer at all, or an answer of 5xx, whose message is "{}". */
function temporary(cause: SupabaseError): Error {
  const { status, message } = cause;
  return status === undefined || status === 0
    ? new SyncError('Network', `the session has ended and can't be renewed offline: ${message}`, true, { cause })
    : new Error(`the session has ended and can't be renewed: the sign-in server answered ${status}`);
}

async function sessionOf(answer: Promise<SessionAnswer>): Promise<AuthSession | null> {
  const { data, error } = await answer;
  if (error !== null) {
    if (error.name === 'AuthRetryableFetchError') {
      throw temporary(error);
    }
    throw error instanceof Error ? error : new Error(error.message);
  }
  return data.session;
}

/**
 * Credentials from the client's session: its access token, its expiry, and `baseUrl + '/api/powersync'` as endpoint.
 * No session, or one of another user than the database's, means signed out (null). The session is refreshed first when it ends within 60 s, or when its token is the
 * one that the engine was given before, which the engine only asks to replace when it expired or was refused. Errors of
 * the client are thrown and become `CredentialsFailed`; that the session has ended and the client can't reach its server is `Network`. An app that wraps this connector should pass the argument of
 * `fetchCredentials` on. A sign-in or a renewed token (`onAuthStateChange`) makes the engine ask again at once.
 *
 * Throws `SyncError{code: 'InvalidOptions'}` for a wrong client or `baseUrl`.
 */
export function supabaseConnector(supabase: SupabaseAuthClient, options: SupabaseConnectorOptions): SyncConnector {
  if (!isRecord(supabase) || !isRecord(supabase.auth)) {
    throw new SyncError('InvalidOptions', `supabaseConnector takes a supabase-js client; got ${describe(supabase)}`);
  }
  const endpoint = endpointOf(isRecord(options) ? options.baseUrl : undefined);
  const { auth } = supabase;
  const subscribe: Pick<SyncConnector, 'subscribe'> =
    typeof auth.onAuthStateChange === 'function'
      ? {
          subscribe: (onChanged) => {
            const { data } = auth.onAuthStateChange?.((_event, session) => {
              // Signed out is no news: a last push may still get through with the token that the engine has.
              if (session !== null) {
                onChanged({ token: session.access_token, userId: session.user?.id });
              }
            }) ?? { data: undefined };
            return () => {
              data?.subscription.unsubscribe();
            };
          },
        }
      : {};
  return {
    ...subscribe,
    fetchCredentials: async (hint) => {
      let session = await sessionOf(auth.getSession());
      const owner = session?.user?.id;
      if (owner !== undefined && hint?.userId !== undefined && owner !== hint.userId) {
        return null;
      }
      if (session !== null) {
        const endsAt = session.expires_at === undefined ? Infinity : session.expires_at * 1000;
        if (session.access_token === hint?.previousToken || endsAt - Date.now() < expiryMarginMs) {
          session = await sessionOf(auth.refreshSession());
        }
      }
      if (session === null) {
        return null;
      }
      return {
        endpoint,
        token: session.access_token,
        expiresAt: session.expires_at === undefined ? null : new Date(session.expires_at * 1000),
      };
    },
  };
}
