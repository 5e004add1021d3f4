/** Words for messages about wrong values: what was got, never the value itself where it may be private. */

/** `null`, `an array`, `a Date`, `undefined`, `a string`, … for use in "… must be X; got Y". */
export function describe(value: unknown): string {
  if (value === null || value === undefined) {
    return String(value);
  }
  if (Array.isArray(value)) {
    return 'an array';
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return String(value);
  }
  if (value === '') {
    return 'an empty string';
  }
  if (value instanceof Date) {
    return 'a Date';
  }
  if (typeof value === 'object') {
    return 'an object';
  }
  return `a ${typeof value}`;
}

/** True for an object that is neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
