/**
 * `__host`: what scripts need of the operating system, synchronous where that is simplest. The types are for scripts, too
 * (`scripts/host/host.d.ts` declares the global).
 */
import { guard } from './errors';
import { call, define } from './native';
import { bytesOf } from './encoding';

export interface SpawnOptions {
  cwd?: string;
  /** Added to the script's own environment. */
  env?: Record<string, string>;
  /** Called with each line of standard output, without its line break. */
  onStdout?: (line: string) => void;
  /** Called with each line of standard error; without it they go where the script's own go. */
  onStderr?: (line: string) => void;
}

export interface Exit {
  code: number | null;
  signal: number | null;
}

export interface ChildProcess {
  pid: number;
  /** Resolves when the child has ended and all its lines were delivered. */
  exited: Promise<Exit>;
  /** Sends a signal, SIGTERM (15) by default. False if the child has ended. */
  kill(signal?: number): boolean;
}

export interface Host {
  readText(path: string): string;
  readBytes(path: string): ArrayBuffer;
  writeFile(path: string, content: string | ArrayBuffer | ArrayBufferView): void;
  makeDirectory(path: string): void;
  makeTempDirectory(prefix?: string): string;
  /** Removes a file, or a directory with all it holds; fine if it is not there. */
  remove(path: string): void;
  exists(path: string): boolean;
  fileSize(path: string): number;
  list(path: string): string[];
  spawn(command: string, args?: string[], options?: SpawnOptions): ChildProcess;
  system(): { cpuCount: number; rssBytes: number; peakRssBytes: number; pid: number; platform: string; arch: string };
}

type ChildEvent = { type: 'stdout' | 'stderr'; line: string } | ({ type: 'exit' } & Exit);

const children = new Map<number, (event: ChildEvent) => void>();
let lastId = 0;

/** Takes an event of a child process. */
export function childEvent(id: number, event: string): void {
  children.get(id)?.(JSON.parse(event) as ChildEvent);
}

function spawn(command: string, args: string[] = [], options: SpawnOptions = {}): ChildProcess {
  const id = ++lastId;
  const pid = call<number>('spawn', {
    id,
    command,
    args,
    cwd: options.cwd ?? null,
    env: options.env ?? null,
    stderr_lines: options.onStderr !== undefined,
  });
  const exited = new Promise<Exit>((resolve) => {
    children.set(id, (event) => {
      switch (event.type) {
        case 'stdout':
          if (options.onStdout) guard(options.onStdout, event.line);
          break;
        case 'stderr':
          if (options.onStderr) guard(options.onStderr, event.line);
          break;
        case 'exit':
          children.delete(id);
          resolve({ code: event.code, signal: event.signal });
      }
    });
  });
  return { pid, exited, kill: (signal = 15) => call<boolean>('kill', { id, signal }) };
}

const host: Host = {
  readText: (path) => call('readText', { path }),
  readBytes: (path) => call('readBytes', { path }),
  writeFile: (path, content) => call('writeFile', { path }, bytesOf(content)),
  makeDirectory: (path) => call('makeDirectory', { path }),
  makeTempDirectory: (prefix = 'omnii-') => call('makeTempDirectory', { prefix }),
  remove: (path) => call('remove', { path }),
  exists: (path) => call('exists', { path }),
  fileSize: (path) => call('fileSize', { path }),
  list: (path) => call('list', { path }),
  spawn,
  system: () => call('system'),
};

export function installHost(): void {
  define('__host', host);
}
