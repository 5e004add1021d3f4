/** One tree rendered with React's test renderer. */
import type { ReactElement } from 'react';
import { act, create, type ReactTestRenderer } from 'react-test-renderer';
import { settled } from './expect';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let app: ReactTestRenderer | null = null;

/** Renders, and lets what follows happen. */
export async function show(element: ReactElement): Promise<void> {
  await act(async () => {
    if (app === null) {
      app = create(element);
    } else {
      app.update(element);
    }
    await settled();
  });
}

/** Renders something else, and lets nothing follow. */
export function replace(element: ReactElement): void {
  act(() => { app?.update(element); });
}

export async function unmount(): Promise<void> {
  await act(async () => {
    app?.unmount();
    app = null;
    await settled();
  });
}

/** What is on the screen. */
export const shown = () => app?.toJSON();
