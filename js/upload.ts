/**
 * Uploads by the app: the engine asks, `connector.uploadData` runs, the engine is told how that went. Guarantees that each
 * question is answered exactly once and that no token enters a message. The engine decides when, and how often again.
 */
import type { SyncConnector } from './connector';
import { withoutTokens } from './credentials';
import type { Database } from './database';
import { toSyncError } from './errors';
import type { Spec } from './NativeOmniiSync';

export type UploadResponder = {
  answer: (requestId: number) => Promise<void>;
  /** `uploadData` is running. */
  isUploading: () => boolean;
};

export function createUploadResponder(
  native: Pick<Spec, 'finishUpload'>,
  databaseId: number,
  connector: SyncConnector,
  database: () => Database,
  isWanted: () => boolean
): UploadResponder {
  let running = 0;
  return {
    isUploading: () => running > 0,
    answer: async (requestId) => {
      let error = '';
      running += 1;
      try {
        await connector.uploadData?.(database());
      } catch (thrown) {
        const message = thrown instanceof Error ? thrown.message : String(thrown);
        error = message.trim() === '' ? 'uploadData failed without a message' : withoutTokens(message);
      } finally {
        running -= 1;
      }
      if (isWanted()) {
        try {
          native.finishUpload(databaseId, requestId, error);
        } catch (thrown) {
          console.error('@omnii/sync: the engine could not be told of an upload', toSyncError(thrown));
        }
      }
    },
  };
}
