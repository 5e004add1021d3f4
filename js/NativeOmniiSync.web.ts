/**
 * NativeOmniiSync.ts for the web, where bundlers prefer this file: `react-native-web` has no registry of native modules, and
 * strict bundlers refuse an import of what a package does not export. Only the stand-in of `@omnii/sync/jest` can be here.
 */
import type { Spec } from './NativeOmniiSync';

const standIn = (globalThis as Record<symbol, unknown>)[Symbol.for('@omnii/sync/native')];

export default (standIn ?? null) as Spec;
