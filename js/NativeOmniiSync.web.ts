/**
 * NativeOmniiSync.ts for the web and for servers: `react-native-web` has no registry of native modules, and Node cannot read
 * React Native's sources. Only the stand-in of `@omnii/sync/jest` can be here. Metro prefers this file for its name; in the
 * package the conditions of lib/module/package.json choose (scripts/package/module.mjs).
 */
import type { Spec } from './NativeOmniiSync';

const standIn = (globalThis as Record<symbol, unknown>)[Symbol.for('@omnii/sync/native')];

export default (standIn ?? null) as Spec;
