/** The hooks, one to a file. */
export type { CompilableQuery } from './liveDatabase';
export type {
  ReadonlySuspenseQueryResult,
  ReadonlyUseQueryResult,
  RowComparator,
  SuspenseQueryResult,
  UseDifferentialQueryOptions,
  UseQueryOptions,
  UseQueryResult,
} from './types';
export { useDatabase, useDatabase as usePowerSync } from './useDatabase';
export { useQuery } from './useQuery';
export { useStatus } from './useStatus';
export { useSuspenseQuery } from './useSuspenseQuery';
export { useSyncState } from './useSyncState';
export { useWatchedQuerySubscription, type WatchedQueryLike } from './useWatchedQuerySubscription';
export { useWatchedQuerySuspenseSubscription } from './useWatchedQuerySuspenseSubscription';
