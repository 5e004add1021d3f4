jest.mock('../src/lib/supabase', () => ({}));

import { rowHeight } from '../src/components/EntityRow';
import { levelOf } from '../src/context/XPContext';
import { displayNameOf } from '../src/context/ProfileContext';
import { dayKey, dayTitle, relativeTime, shortDate, timeOfDay } from '../src/lib/dates';
import { listParameters, toDraft } from '../src/lib/sync/entities';

test('levels begin at 0, 100, 300 and 600 points', () => {
  expect([0, 99, 100, 299, 300, 600].map((points) => levelOf(points).level)).toEqual([1, 1, 2, 2, 3, 4]);
  expect(levelOf(200)).toEqual({ level: 2, progress: 0.5, pointsToNext: 100 });
});

test('a name is made from an address', () => {
  expect(displayNameOf('ada.lovelace+test@example.com')).toBe('Ada Lovelace Test');
  expect(displayNameOf('')).toBe('');
});

test('dates are read as people say them, and rubbish is nothing', () => {
  const local = new Date(2026, 10, 23, 9, 5).toISOString();
  expect(dayKey(local)).toBe('2026-11-23');
  expect(dayTitle('2026-11-23')).toBe('Monday, 23 November 2026');
  expect(timeOfDay(local)).toBe('09:05');
  expect(shortDate(local)).toBe('23 Nov 2026');
  expect([dayKey('x'), timeOfDay(null), shortDate('')]).toEqual([null, '', '']);
});

test('times are told from now', () => {
  const now = new Date('2026-11-23T12:00:00Z');
  const at = (seconds: number): string => relativeTime(new Date(now.getTime() + seconds * 1000), now);
  expect([at(-2), at(-30), at(-300), at(-7200), at(-200_000), at(20)]).toEqual(['just now', '30 s ago', '5 min ago', '2 h ago', '2 d ago', 'in 20 s']);
});

test('search text is text, not a pattern', () => {
  expect(listParameters('task', ' 50%_\\ ')).toEqual(['task', '50%_\\', '%50\\%\\_\\\\%']);
});

test('broken properties are no notes', () => {
  expect(toDraft({ name: null, entity_type: 'unknown', properties: '[1' })).toEqual({ name: '', type: 'entity', notes: '' });
  expect(toDraft({ name: 'A', entity_type: 'task', properties: '{"notes":"b"}' })).toEqual({ name: 'A', type: 'task', notes: 'b' });
});

test('rows grow with the font, up to a point', () => {
  expect([0.85, 1, 1.5, 2, 3].map(rowHeight)).toEqual([68, 68, 89, 109, 109]);
});
