/** The package's provider, wired to this app: its schema, its connector, and whoever is signed in. */
import { SyncProvider as PackageProvider } from '@omnii/sync';
import type { ReactNode } from 'react';
import { useAuth } from '../../context/AuthContext';
import { connector } from './connector';
import { RoundsProvider } from './rounds';
import { schema } from './schema';

export function SyncProvider({ children }: { children: ReactNode }) {
  const { account } = useAuth();
  return (
    <PackageProvider
      schema={schema}
      connector={connector}
      userId={account?.id}
      onError={(error) => console.warn(`sync: ${error.code}: ${error.message}`)}
    >
      <RoundsProvider>{children}</RoundsProvider>
    </PackageProvider>
  );
}
