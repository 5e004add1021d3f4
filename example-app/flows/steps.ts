/** Steps that flows share: what a user of the example app does, in the app's own words. */
import { BackendServer, type Credentials, Phone, type PhoneOptions } from '@omnii/phone';

/** How long a first download, or a change from elsewhere, may take on a slow machine. */
export const SYNC_MS = 20_000;

export async function signIn(phone: Phone, { email, password }: Credentials): Promise<void> {
  await phone.getByTestId('sign-in-email').type(email);
  await phone.getByTestId('sign-in-password').type(password);
  await phone.getByTestId('sign-in-submit').press();
  await phone.getByTestId('entity-list').waitFor({ timeoutMs: SYNC_MS });
}

/** From any tab; what is pending is uploaded first. */
export async function signOut(phone: Phone): Promise<void> {
  await openTab(phone, 'profile');
  await phone.getByTestId('sign-out').press();
  await phone.getByTestId('sign-out-confirm').press();
  await phone.getByTestId('sign-in-email').waitFor({ timeoutMs: SYNC_MS });
}

export async function openTab(phone: Phone, tab: 'entities' | 'timeline' | 'sync' | 'profile'): Promise<void> {
  await phone.getByTestId(`tab-${tab}`).press();
}

/** Makes an entity through the form and returns to the list. */
export async function createEntity(phone: Phone, name: string, type = 'task'): Promise<void> {
  await phone.getByTestId('entity-new').press();
  await phone.getByTestId('entity-name').type(name);
  await phone.getByTestId(`entity-type-${type}`).press();
  await phone.getByTestId('entity-save').press();
  await phone.getByTestId('entity-name').waitForGone();
}

/** Opens an entity from the list, gives it another name, and returns to the list. */
export async function renameEntity(phone: Phone, name: string, newName: string): Promise<void> {
  await phone.getByText(name).press();
  await phone.getByTestId('entity-edit').press();
  await phone.getByTestId('entity-name').type(newName);
  await phone.getByTestId('entity-save').press();
  await phone.getByTestId('entity-title').waitFor();
  await phone.back();
  await phone.getByTestId('entity-list').waitFor();
}

/** Waits until the Sync screen says so; leaves that screen open. */
export async function waitForStatus(phone: Phone, status: string): Promise<void> {
  await openTab(phone, 'sync');
  await phone.waitFor(
    async () => (await phone.getByTestId('connection-status').all()).some(({ text }) => text.startsWith(status)),
    `the status to be ${status}`,
    { timeoutMs: SYNC_MS },
  );
}

/** Waits until the Sync screen counts so many changes that are not uploaded; leaves that screen open. */
export async function waitForPending(phone: Phone, count: number): Promise<void> {
  await openTab(phone, 'sync');
  await phone.waitFor(
    async () => (await phone.getByTestId('sync-pending-count').all()).some(({ text }) => new RegExp(`(^|\\D)${count}(\\D|$)`).test(text)),
    `${count} changes to be pending`,
    { timeoutMs: SYNC_MS },
  );
}

/**
 * Waits until the backend has an entity of this name and the phone knows it. The backend is asked first: right after a
 * write the count on the screen may still be that of the moment before.
 */
export async function waitUntilUploaded(phone: Phone, server: BackendServer, user: Credentials, name: string): Promise<void> {
  await phone.waitFor(
    async () => (await rowsOf(server, user, 'sync_entities')).some((row) => row['name'] === name),
    `the backend to have "${name}"`,
    { timeoutMs: SYNC_MS },
  );
  await waitForPending(phone, 0);
}

/** Runs a flow with a backend, and ends all phones and the backend whatever happens. */
export async function withBackend(args: string[], flow: (scene: Scene) => Promise<void>): Promise<void> {
  const scene = new Scene(await BackendServer.start(args));
  try {
    await flow(scene);
    scene.check();
  } catch (error) {
    scene.tell();
    throw error;
  } finally {
    await scene.end();
  }
}

/** A backend and the phones of one flow. */
export class Scene {
  readonly server: BackendServer;
  readonly #phones: Phone[] = [];

  constructor(server: BackendServer) {
    this.server = server;
  }

  async phone(options: Omit<PhoneOptions, 'server'>): Promise<Phone> {
    const phone = await Phone.start({ ...options, server: this.server.url });
    this.#phones.push(phone);
    return phone;
  }

  /** No flow may leave an error in the app's log. */
  check(): void {
    for (const phone of this.#phones) {
      if (phone.problems.length > 0) throw new Error(`${phone.name}: errors in the app's log:\n${phone.problems.join('\n')}`);
    }
  }

  /** The last lines of each phone's log, for a flow that failed. */
  tell(): void {
    for (const phone of this.#phones) {
      console.error(`--- ${phone.name}, the end of its log:`);
      for (const { level, text } of phone.log.slice(-30)) console.error(`[${level}] ${text}`);
    }
  }

  async end(): Promise<void> {
    for (const phone of this.#phones) await phone.close();
    await this.server.stop();
  }
}

/** The rows of one table as the backend would give them to a user's phone. */
export async function rowsOf(server: BackendServer, user: Credentials, table: string): Promise<Record<string, unknown>[]> {
  const token = await server.token(user);
  const response = await fetch(`${server.api}/sync?tables=${table}&limit=5000`, { headers: { authorization: `Bearer ${token}` } });
  const { changes } = (await response.json()) as { changes: Record<string, Record<string, unknown>[]> };
  return changes[table] ?? [];
}

/** Writes rows as another client of the backend would. */
export async function upload(server: BackendServer, user: Credentials, table: string, changes: object[]): Promise<void> {
  const token = await server.token(user);
  const response = await fetch(`${server.api}/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ changes: { [table]: changes } }),
  });
  if (!response.ok) throw new Error(`upload: ${response.status} ${await response.text()}`);
}
