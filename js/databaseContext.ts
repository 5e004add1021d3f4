/**
 * Which database the hooks below use. `SyncProvider` provides it; an app that opens its database by itself provides it as
 * `PowerSyncContext` of `@omnii/sync/powersync`, which is the same context.
 */
import { createContext } from 'react';
import type { Database } from './database';

/** undefined: no provider above. null: there is one, without a database for now. */
export const DatabaseContext = createContext<Database | null | undefined>(undefined);
