/**
 * The backend that the fake has instead of a network: it is reachable or not, holds rows to be downloaded, takes everything
 * that is uploaded, and refuses what it was told to. One for all databases of a test file.
 */
import type { NativeCrudEntry } from '../types';

/** A row that the backend sends; `null` for one that it has deleted. */
export type Delivery = { readonly table: string; readonly id: string; readonly row: Readonly<Record<string, unknown>> | null };

/** A change as the backend got it. */
export type UploadedChange = Pick<NativeCrudEntry, 'table' | 'rowId' | 'op' | 'data'> & { readonly userId: string };

type Refusal = { readonly matches: (change: UploadedChange) => boolean; readonly reason: string };

export type Backend = {
  online: boolean;
  readonly deliveries: Delivery[];
  uploads: UploadedChange[];
  refusals: Refusal[];
  /** Tells the open databases that something is new. */
  readonly listeners: Set<() => void>;
};

export function createBackend(): Backend {
  return { online: true, deliveries: [], uploads: [], refusals: [], listeners: new Set() };
}
