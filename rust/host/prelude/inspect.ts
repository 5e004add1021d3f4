/** Values as people read them: what `console` prints for anything that is not a string. Cycles and depth are bounded. */
import { describeError } from './errors';

const MAX_DEPTH = 4;
const MAX_ENTRIES = 100;
const LINE = 100;

export function inspect(value: unknown, depth = 0, seen: object[] = []): string {
  switch (typeof value) {
    case 'string':
      return depth === 0 ? value : quote(value);
    case 'bigint':
      return `${value}n`;
    case 'symbol':
      return value.toString();
    case 'function':
      return inspectFunction(value);
    case 'object':
      return value === null ? 'null' : inspectObject(value, depth, seen);
    default:
      return Object.is(value, -0) ? '-0' : String(value);
  }
}

function quote(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replace(/\\"/g, '"').replace(/'/g, "\\'")}'`;
}

function inspectFunction(value: { name: string }): string {
  return value.name ? `[Function: ${value.name}]` : '[Function (anonymous)]';
}

function inspectObject(value: object, depth: number, seen: object[]): string {
  if (seen.includes(value)) return '[Circular]';
  const inner = [...seen, value];
  const show = (part: unknown) => inspect(part, depth + 1, inner);

  if (value instanceof Error) return inspectError(value, depth, show);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (value instanceof Promise) return 'Promise {}';
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength})`;

  if (depth > MAX_DEPTH) return Array.isArray(value) ? '[Array]' : '[Object]';
  if (Array.isArray(value)) return wrap('[', limited(value, show), ']', depth);
  if (ArrayBuffer.isView(value)) {
    const elements = value instanceof DataView ? [] : limited(value as unknown as ArrayLike<unknown>, show);
    return wrap(`${value.constructor.name}(${value.byteLength}) [`, elements, ']', depth);
  }
  if (value instanceof Map) {
    const entries = limited([...value], ([key, item]) => `${show(key)} => ${show(item)}`);
    return wrap(`Map(${value.size}) {`, entries, '}', depth);
  }
  if (value instanceof Set) return wrap(`Set(${value.size}) {`, limited([...value], show), '}', depth);
  return wrap(`${prefix(value)}{`, fields(value, show), '}', depth);
}

function inspectError(error: Error, depth: number, show: (value: unknown) => string): string {
  const own = fields(error, show, ['message', 'stack', 'name', 'line', 'column', 'cause', 'componentStack']);
  const described = describeError(error) + (own.length > 0 ? ` ${wrap('{', own, '}', depth)}` : '');
  return error.cause === undefined ? described : `${described}\n  [cause]: ${show(error.cause)}`;
}

function prefix(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return '';
  if (prototype === null) return '[Object: null prototype] ';
  const name = (value.constructor as { name?: string } | undefined)?.name;
  return name && name !== 'Object' ? `${name} ` : '';
}

function fields(value: object, show: (value: unknown) => string, except: string[] = []): string[] {
  return Object.keys(value)
    .filter((key) => !except.includes(key))
    .slice(0, MAX_ENTRIES)
    .map((key) => {
      const descriptor = Object.getOwnPropertyDescriptor(value, key);
      const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : quote(key);
      return `${name}: ${descriptor?.get ? '[Getter]' : show((value as Record<string, unknown>)[key])}`;
    });
}

function limited<T>(items: ArrayLike<T>, show: (item: T) => string): string[] {
  const shown: string[] = [];
  for (let i = 0; i < Math.min(items.length, MAX_ENTRIES); i++) shown.push(show(items[i] as T));
  if (items.length > MAX_ENTRIES) shown.push(`... ${items.length - MAX_ENTRIES} more`);
  return shown;
}

function wrap(open: string, parts: string[], close: string, depth: number): string {
  if (parts.length === 0) return open + close;
  const oneLine = `${open} ${parts.join(', ')} ${close}`;
  if (oneLine.length <= LINE && !oneLine.includes('\n')) return oneLine;
  const indent = '  '.repeat(depth + 1);
  return `${open}\n${indent}${parts.join(`,\n${indent}`)}\n${'  '.repeat(depth)}${close}`;
}
