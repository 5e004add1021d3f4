/** What the app supplies for the engine to get credentials. What is made of it is in `credentials.ts`. */

import type { Database } from './database';

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
  /**
   * Whose database asks: the `userId` it was opened with. While users change, the question of the first one's database
   * may come when the second one has signed in already; another user's token must never be the answer. Absent when
   * `getConnector().fetchCredentials()` asks.
   */
  userId?: string;
};

/** What is known of a change of credentials; all may be left out. */
export type CredentialsChange = {
  /** The new token. The one the engine was given last is no news. */
  token?: string | undefined;
  /** Whose it is. Another user's is no news for this database. */
  userId?: string | undefined;
};

/** What the app supplies. `supabaseConnector` makes one from a supabase-js client. */
export type SyncConnector = {
  /**
   * Answers credentials, or null when nobody is signed in (syncing waits, local work goes on; it is not an error of
   * the connector). A rejection becomes `currentStatus.error` with code `CredentialsFailed`, or `Network` if it is a
   * `SyncError` of that code (the app can't know without a network; the status is then `offline`), and is retried with backoff. Called at the first connection, before a token expires and after the backend refused one. The engine never
   * asks twice at a time; `getConnector().fetchCredentials()` asks beside it.
   */
  fetchCredentials(hint?: CredentialsHint): Promise<Credentials | null>;
  /**
   * Tells when somebody signed in or the token was renewed, so that the engine asks again at once instead of at its next
   * attempt. Called when a database is opened; answers the function that ends it, called when the database is closed.
   * What is told before the engine has asked for the first time, or while a question of it is being answered with
   * credentials, is no news. Signing out is not to be told here.
   */
  subscribe?(onChanged: (change?: CredentialsChange) => void): () => void;
  /**
   * Uploads pending changes in the app's own way; where it is there, the built-in upload is not used. Called when there is
   * something to upload, never twice at a time. Take changes with `database.getNextCrudTransaction()` or `getCrudBatch()`,
   * call `complete()` on each after it has been uploaded, and return when there are none left. A rejection becomes
   * `currentStatus.uploadError` with code `UploadFailed` and is retried with backoff.
   */
  uploadData?(database: Database): Promise<void>;
};
