/** Globals of scripts in the host that Node's types lack. */
import type { Host } from '../../rust/host/prelude/host';

declare global {
  var __host: Host;
  function requestAnimationFrame(callback: (timeMs: number) => void): number;
  function cancelAnimationFrame(id: number): void;
}

export {};
