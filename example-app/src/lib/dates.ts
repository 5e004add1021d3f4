/** Dates as people read them. Without Intl options that some engines lack. */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

const two = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-23`, in local time: what groups by day. Null for what is no date. */
export function dayKey(iso: string | null): string | null {
  const date = parse(iso);
  return date && `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function parse(iso: string | null): Date | null {
  const date = new Date(iso ?? '');
  return Number.isNaN(date.getTime()) ? null : date;
}

/** `Monday, 23 November 2026` for a day key. */
export function dayTitle(key: string): string {
  const [year = 0, month = 1, day = 1] = key.split('-').map(Number);
  const date = new Date(year, month - 1, day);
  return `${DAYS[date.getDay()]}, ${day} ${MONTHS[month - 1]} ${year}`;
}

/** `09:30`, or '' for what is no date. */
export function timeOfDay(iso: string | null): string {
  const date = parse(iso);
  return date ? `${two(date.getHours())}:${two(date.getMinutes())}` : '';
}

/** `23 Nov 2026`, or '' for what is no date. */
export function shortDate(iso: string | null): string {
  const date = parse(iso);
  return date ? `${date.getDate()} ${MONTHS[date.getMonth()]?.slice(0, 3)} ${date.getFullYear()}` : '';
}

/** `just now`, `5 min ago`, `in 20 s`, `yesterday`… */
export function relativeTime(date: Date, now: Date): string {
  const seconds = Math.round((date.getTime() - now.getTime()) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return seconds > 0 ? 'now' : 'just now';
  const [count, unit] = size < 60 ? [size, 's'] : size < 3600 ? [Math.round(size / 60), 'min'] : size < 86_400 ? [Math.round(size / 3600), 'h'] : [Math.round(size / 86_400), 'd'];
  return seconds > 0 ? `in ${count} ${unit}` : `${count} ${unit} ago`;
}
