/**
 * `@omnii/sync` over the fake native module, in a browser. The fake's backend is left on the page as `syncFake`, for the script that
 * takes the screenshots to fill.
 */
import { syncFake } from '@omnii/sync/jest'; // before @omnii/sync

Object.assign(globalThis, { syncFake });

export * from '@omnii/sync';
