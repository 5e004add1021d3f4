/** `console`: what the app says goes to the driver, which shows it when a flow fails or when asked to. */
import { format } from '../prelude/console';
import { define } from '../prelude/native';
import { tell } from './channel';

const LEVELS = ['trace', 'info', 'warn', 'error'];
const MAX_LENGTH = 4000;

/** One line of the app's log. */
export function log(level: string, text: string): void {
  tell('log', { level, text: text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text });
}

export function installConsole(): void {
  const at =
    (level: string) =>
    (...args: unknown[]): void =>
      log(level, format(args));
  const nothing = (): void => {};
  define('console', {
    log: at('info'),
    info: at('info'),
    debug: at('debug'),
    trace: at('debug'),
    warn: at('warn'),
    error: at('error'),
    dir: at('info'),
    table: at('info'),
    group: at('info'),
    groupCollapsed: at('info'),
    assert: (condition: unknown, ...args: unknown[]) => {
      if (!condition) log('error', `Assertion failed: ${format(args)}`);
    },
    groupEnd: nothing,
    count: nothing,
    time: nothing,
    timeLog: nothing,
    timeEnd: nothing,
    timeStamp: nothing,
  });
  define('nativeLoggingHook', (text: string, level: number) => log(LEVELS[level] ?? 'info', text));
}
