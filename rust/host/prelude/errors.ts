/**
 * What happens to an error nobody caught: it is printed with its stack mapped to the sources, and the process ends with
 * code 1. The source map is read only then.
 */
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { call, invocation, native } from './native';

let map: TraceMap | null | undefined;

function sourceMap(): TraceMap | null {
  if (map === undefined) {
    const path = `${invocation.bundle}.map`;
    try {
      map = new TraceMap(call<string>('readText', { path }), path);
    } catch {
      map = null;
    }
  }
  return map;
}

let isBundle = (path: string): boolean => path === invocation.bundle;

/** Sets which paths in a stack are places in the bundle; its own path unless told otherwise. */
export function bundleIs(test: (path: string) => boolean): void {
  isBundle = test;
}

/** Frames of the VM itself: its promises, its iterators. */
const INTERNAL = /^\s+at .*\((native|address at InternalBytecode\.js:[\d:]+)\)$/;

/** A stack whose places in the bundle are replaced by those in the sources; the VM's own frames are left out. */
export function mapStack(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => !INTERNAL.test(line))
    .map(mapFrame)
    .join('\n');
}

function mapFrame(line: string): string {
  const place = /^(\s+at .*?\(?)([^\s()]+):(\d+):(\d+)(\)?)$/.exec(line);
  if (!place || !isBundle(place[2] as string)) return line;
  const found = sourceMap();
  if (!found) return line;
  const { source, line: sourceLine, column } = originalPositionFor(found, {
    line: Number(place[3]),
    column: Number(place[4]) - 1,
  });
  return source === null ? line : `${place[1]}${source}:${sourceLine}:${column + 1}${place[5]}`;
}

/** The error as people read it: its mapped stack, its own fields, its causes. */
export function describeError(error: Error): string {
  const head = `${error.name}: ${error.message}`;
  let text = mapStack(typeof error.stack === 'string' ? error.stack : head);
  // A message changed after the error was made is not in the stack.
  if (!text.includes(error.message)) text = `${head}\n${text}`;
  return text;
}

let describe: (value: unknown) => string = String;

/** Sets how thrown values are printed; console.ts does, once it can inspect. */
export function describeWith(inspect: (value: unknown) => string): void {
  describe = inspect;
}

/** Thrown by `process.exit` to leave the running task. */
export class ExitSignal {}

function fatal(title: string, thrown: unknown): void {
  if (thrown instanceof ExitSignal) return;
  let text: string;
  try {
    text = describe(thrown);
  } catch {
    text = 'a value that cannot be printed';
  }
  native.write(true, `${title} ${text}\n`);
  native.exit(1);
}

let uncaught: (thrown: unknown) => void = (thrown) => fatal('Uncaught', thrown);

/** Sets what becomes of errors nobody caught; they end the process unless told otherwise. */
export function handleUncaught(handler: (thrown: unknown) => void): void {
  uncaught = handler;
}

/** Reports an error nobody caught. */
export function reportUncaught(thrown: unknown): void {
  uncaught(thrown);
}

/** Ends the process because of a rejected promise nobody handled. */
export function reportUnhandledRejection(reason: unknown): void {
  fatal('Unhandled promise rejection:', reason);
}

/** Runs a callback of the script's. */
export function guard<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): void {
  try {
    callback(...args);
  } catch (thrown) {
    reportUncaught(thrown);
  }
}
