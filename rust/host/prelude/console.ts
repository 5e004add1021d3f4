/** `console`: `log`, `info` and `debug` go to standard output, `warn` and `error` to standard error. */
import { describeWith } from './errors';
import { inspect } from './inspect';
import { define, native } from './native';

/** `%s`, `%d`, `%i`, `%f`, `%o`, `%O`, `%j` and `%c` in the first argument, as everywhere. */
export function format(args: unknown[]): string {
  const [first, ...rest] = args;
  if (typeof first !== 'string' || rest.length === 0) return args.map((arg) => inspect(arg)).join(' ');
  const text = first.replace(/%[sdifjoOc%]/g, (directive) => {
    if (directive === '%%') return '%';
    if (rest.length === 0) return directive;
    const value = rest.shift();
    switch (directive) {
      case '%s':
        return typeof value === 'object' ? inspect(value) : String(value);
      case '%d':
      case '%f':
        return String(Number(value));
      case '%i':
        return String(Math.trunc(Number(value)));
      case '%j':
        return JSON.stringify(value);
      case '%c':
        return '';
      default:
        return inspect(value, 1);
    }
  });
  return [text, ...rest.map((arg) => inspect(arg))].join(' ');
}

export function installConsole(): void {
  let indent = '';
  const counts = new Map<string, number>();
  const starts = new Map<string, number>();

  const print = (toStderr: boolean) => (...args: unknown[]) => {
    const text = format(args);
    native.write(toStderr, `${indent}${indent ? text.replace(/\n/g, `\n${indent}`) : text}\n`);
  };
  const out = print(false);
  const err = print(true);
  const elapsed = (label: string) => `${label}: ${(native.now() - (starts.get(label) ?? native.now())).toFixed(3)} ms`;
  const group = (...args: unknown[]) => {
    if (args.length > 0) out(...args);
    indent += '  ';
  };

  describeWith((value) => (typeof value === 'string' ? inspect(value, 1) : inspect(value)));
  define('console', {
    log: out,
    info: out,
    debug: out,
    warn: err,
    error: err,
    dir: (value: unknown) => out(inspect(value, 1)),
    table: (rows: unknown) => out(rows),
    trace: (...args: unknown[]) => err(`Trace: ${format(args)}\n${new Error('').stack ?? ''}`),
    assert: (condition: unknown, ...args: unknown[]) => {
      if (!condition) err('Assertion failed:', ...args);
    },
    group,
    groupCollapsed: group,
    groupEnd: () => {
      indent = indent.slice(2);
    },
    count: (label = 'default') => {
      counts.set(label, (counts.get(label) ?? 0) + 1);
      out(`${label}: ${counts.get(label)}`);
    },
    countReset: (label = 'default') => counts.delete(label),
    time: (label = 'default') => starts.set(label, native.now()),
    timeLog: (label = 'default', ...args: unknown[]) => out(elapsed(label), ...args),
    timeEnd: (label = 'default') => {
      out(elapsed(label));
      starts.delete(label);
    },
  });
}
