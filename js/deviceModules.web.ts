/** deviceModules.ts for the web and for servers. */
import type * as deviceModules from './deviceModules';

export const requireModules: typeof deviceModules.requireModules = () => ({});
