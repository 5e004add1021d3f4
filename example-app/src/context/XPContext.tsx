/** Points for what is in the local database. Derived, never stored: every device counts the same. */
import { useQuery } from '@omnii/sync';
import { createContext, type ReactNode, useContext, useMemo } from 'react';

interface XP {
  points: number;
  level: number;
  /** From 0 to 1, on the way to the next level. */
  progress: number;
  pointsToNext: number;
}

const POINTS = { entity: 10, relationship: 5, event: 3 };
/** Points of the first level; each further level takes that much more. */
const FIRST_LEVEL = 100;
const XPContext = createContext<XP | null>(null);

const SQL = `
  SELECT (SELECT count(*) FROM sync_entities) AS entities,
         (SELECT count(*) FROM sync_relationships) AS relationships,
         (SELECT count(*) FROM sync_events) AS events`;

/** Level n begins at 100 · n(n−1)/2 points. */
export function levelOf(points: number): Omit<XP, 'points'> {
  let level = 1;
  let begins = 0;
  while (points >= begins + FIRST_LEVEL * level) {
    begins += FIRST_LEVEL * level;
    level++;
  }
  const needed = FIRST_LEVEL * level;
  return { level, progress: (points - begins) / needed, pointsToNext: begins + needed - points };
}

export function XPProvider({ children }: { children: ReactNode }) {
  const { data } = useQuery<{ entities: number; relationships: number; events: number }>(SQL, [], { throttleMs: 250 });
  const counts = data[0];
  const points = counts ? counts.entities * POINTS.entity + counts.relationships * POINTS.relationship + counts.events * POINTS.event : 0;
  const xp = useMemo(() => ({ points, ...levelOf(points) }), [points]);
  return <XPContext.Provider value={xp}>{children}</XPContext.Provider>;
}

export function useXP(): XP {
  const xp = useContext(XPContext);
  if (!xp) throw new Error('useXP must be used within XPProvider');
  return xp;
}
