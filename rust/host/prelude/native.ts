/**
 * The contract with the Rust side (`rust/host/src/host.rs`, `rust/host/cpp/NativeGlobal.cpp`): the only file that reads the
 * global `__native`, which it then removes. Ids are chosen here; every callback of `listen` must not throw.
 */
export interface Native {
  listen(
    timer: (id: number) => void,
    fetch: (id: number, head: string | null, body: ArrayBuffer | string) => void,
    child: (id: number, event: string) => void,
    error: (thrown: unknown) => void,
    idle: () => void,
    command: (line: string) => void,
  ): void;
  startTimer(id: number, delayMs: number, repeat: boolean, keepsAlive: boolean): void;
  startImmediate(id: number): void;
  cancelTimer(id: number): void;
  /** Milliseconds since the runtime started, by the clock that can be advanced. */
  now(): number;
  write(toStderr: boolean, text: string): void;
  /** Ends the loop after the running task. */
  exit(code: number): void;
  call(operation: string, json: string, bytes?: ArrayBuffer): unknown;
  evaluate(source: string, url: string): unknown;
  /** Runs a file of source or of bytecode. */
  evaluateFile(path: string): unknown;
  /** UTF-8 to text; what is malformed becomes U+FFFD. */
  decodeUtf8(bytes: ArrayBuffer, start: number, length: number): string;
}

const holder = globalThis as unknown as { __native?: Native };

export const native: Native = holder.__native as Native;
delete holder.__native;

/** Runs a named operation of the host. */
export function call<T>(operation: string, args: object = {}, bytes?: ArrayBuffer): T {
  return native.call(operation, JSON.stringify(args), bytes) as T;
}

/** What the program was started with. */
export const invocation = call<{
  bundle: string;
  executable: string;
  arguments: string[];
  environment: Record<string, string>;
  directory: string;
}>('invocation');

/** Puts a value on the global object as the platform's own are: writable, not enumerable. */
export function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}
