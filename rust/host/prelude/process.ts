/** The part of Node's `process` that scripts and libraries ask for. `exit` never returns. */
import { ExitSignal } from './errors';
import { define, invocation, native } from './native';

export const process = {
  env: { ...invocation.environment } as Record<string, string | undefined>,
  /** The program, the script, then the script's arguments. */
  argv: [invocation.executable, invocation.environment.OMNII_HOST_SCRIPT ?? invocation.bundle, ...invocation.arguments],
  /** The code to end with once nothing is left to do. */
  exitCode: undefined as number | undefined,
  platform: 'linux',
  version: '',
  versions: { hermes: hermesVersion() },
  cwd: () => invocation.directory,
  exit(code?: number): never {
    native.exit(code ?? process.exitCode ?? 0);
    throw new ExitSignal();
  },
  hrtime: Object.assign(
    (since?: [number, number]): [number, number] => {
      const now = native.now() - (since ? since[0] * 1000 + since[1] / 1e6 : 0);
      return [Math.floor(now / 1000), Math.round((now % 1000) * 1e6)];
    },
    { bigint: () => BigInt(Math.round(native.now() * 1e6)) },
  ),
  nextTick: (callback: (...args: unknown[]) => void, ...args: unknown[]) => queueMicrotask(() => callback(...args)),
  stdout: { write: (text: string) => (native.write(false, String(text)), true), isTTY: false },
  stderr: { write: (text: string) => (native.write(true, String(text)), true), isTTY: false },
};

function hermesVersion(): string {
  const internal = (globalThis as unknown as { HermesInternal?: { getRuntimeProperties(): Record<string, unknown> } })
    .HermesInternal;
  return String(internal?.getRuntimeProperties()['OSS Release Version'] ?? '');
}

export function installProcess(): void {
  define('process', process);
}
