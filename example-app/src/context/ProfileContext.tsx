/** Who the user is, as far as the account and the local data tell. */
import { useQuery } from '@omnii/sync';
import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { type EntityType, toEntityType } from '../lib/sync/entities';
import { useAuth } from './AuthContext';

export interface Profile {
  email: string;
  /** From the address, until somebody asks for a name. */
  displayName: string;
  /** How many entities of each type; types without any are left out. */
  counts: readonly { type: EntityType; count: number }[];
}

const ProfileContext = createContext<Profile | null>(null);
const SQL = 'SELECT entity_type AS type, count(*) AS count FROM sync_entities GROUP BY entity_type ORDER BY count DESC';

export function displayNameOf(email: string): string {
  const [name = ''] = email.split('@');
  return name
    .split(/[._+-]+/)
    .filter((part) => part !== '')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join(' ');
}

export function ProfileProvider({ children }: { children: ReactNode }) {
  const email = useAuth().account?.email ?? '';
  const { data } = useQuery<{ type: string | null; count: number }>(SQL, [], { throttleMs: 250 });
  const profile = useMemo<Profile>(
    () => ({ email, displayName: displayNameOf(email), counts: data.map(({ type, count }) => ({ type: toEntityType(type), count })) }),
    [email, data],
  );
  return <ProfileContext.Provider value={profile}>{children}</ProfileContext.Provider>;
}

export function useProfile(): Profile {
  const profile = useContext(ProfileContext);
  if (!profile) throw new Error('useProfile must be used within ProfileProvider');
  return profile;
}
