/** A screen or component as it stands in the app: signed in, with the providers of the root layout above it. */
import { SyncProvider } from '@omnii/sync';
import { render, waitFor } from '@testing-library/react-native';
import type { ReactElement, ReactNode } from 'react';
import { ThemeProvider } from '../src/context/ThemeContext';
import { RoundsProvider } from '../src/lib/sync/rounds';
import { schema } from '../src/lib/sync/schema';

export const USER = { id: '00000000-0000-4000-8000-000000000001', email: 'ada.lovelace@example.com' };

const connector = { fetchCredentials: () => Promise.resolve({ endpoint: 'https://example.com/api/powersync', token: 'any' }) };

function Providers({ children }: { children: ReactNode }) {
  return (
    <SyncProvider schema={schema} connector={connector} userId={USER.id}>
      <RoundsProvider>
        <ThemeProvider>{children}</ThemeProvider>
      </RoundsProvider>
    </SyncProvider>
  );
}

export const renderInApp = (element: ReactElement) => render(element, { wrapper: Providers });

/** Rows as the backend would send them. */
export const entity = (id: string, name: string, type = 'task', createdAt = '2026-01-01T10:00:00Z') => ({
  id,
  name,
  entity_type: type,
  properties: '{}',
  created_at: createdAt,
});

export { waitFor };
