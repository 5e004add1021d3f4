/**
 * Drives a headless phone: an app's bundle on desktop Hermes, in a process of its own, with the real `OmniiSync` module.
 *
 * Everything a flow asks for waits until it can be had, 5 seconds unless told otherwise, and says what was on the screen when
 * it could not. An error nobody caught ends the app, as on a phone: whatever is asked for after it rejects with the crash.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { App } from './app';
import { Link } from './link';

export type Matcher = string | RegExp;

export interface PhoneOptions {
  app: App;
  /** The program and the prelude, as `scripts/phone.mjs` has built them. */
  host?: string;
  prelude?: string;
  /** The server, reached through a link that `setOnline` cuts. It becomes `extra.supabaseUrl` and `extra.mcpBaseUrl`. */
  server?: string;
  /** More of the manifest's `extra`. */
  extra?: Record<string, unknown>;
  /** A name in what is printed, for flows with two phones. */
  name?: string;
  /** The folder that outlives restarts; a temporary one by default, removed by `close`. */
  storage?: string;
  /** The link to open the app with. */
  url?: string;
  /** Prints the app's log as it comes. */
  verbose?: boolean;
}

/** What is on the screen. Frames are in points. */
export interface Element {
  tag: number;
  view: string;
  text: string;
  label: string | null;
  testId: string | null;
  role: string | null;
  disabled: boolean;
  selected: boolean;
  frame: { x: number; y: number; width: number; height: number };
  inWindow: boolean;
}

export interface State {
  commits: number;
  firstCommitMs: number;
  lastCommitMs: number;
  elapsedMs: number;
  views: number;
  requestsInFlight: number;
  missing: { name: string; askedBy: string }[];
  system: { rssBytes: number; peakRssBytes: number };
}

/** How long tasks of the native module held the JS thread. */
export interface TaskTimes {
  count: number;
  longestMs: number;
  totalMs: number;
}

export interface Fling {
  frames: number;
  commits: number;
  latestFrameMs: number;
  latestCommitMs: number;
  nativeTasks: TaskTimes;
}

export interface LogLine {
  level: string;
  text: string;
}

/** The app ended with an error nobody caught. */
export class CrashError extends Error {
  override readonly name = 'CrashError';
}

export interface WaitOptions {
  /** Milliseconds; 5,000 by default. */
  timeoutMs?: number;
}

interface Query {
  text?: WireMatcher;
  label?: WireMatcher;
  testId?: WireMatcher;
  index?: number;
}
type WireMatcher = string | { pattern: string; flags: string };

interface Message {
  id?: number;
  result?: unknown;
  error?: { message: string; stack: string };
  event?: string;
  [detail: string]: unknown;
}

const WAIT_MS = 5000;
const START_MS = 20_000;
const EXIT_MS = 5000;
const KEPT_LOG_LINES = 500;

function wire(matcher: Matcher): WireMatcher {
  return typeof matcher === 'string' ? matcher : { pattern: matcher.source, flags: matcher.flags.replace(/[gy]/g, '') };
}

/** Something on the screen, looked for anew each time it is used. */
export class Locator {
  readonly #phone: Phone;
  readonly #query: Query;

  constructor(phone: Phone, query: Query) {
    this.#phone = phone;
    this.#query = query;
  }

  #ask<T>(command: string, { timeoutMs = WAIT_MS }: WaitOptions = {}, rest: object = {}): Promise<T> {
    return this.#phone.send<T>(command, { query: this.#query, timeoutMs, ...rest });
  }

  /** One of several, from 0. */
  nth(index: number): Locator {
    return new Locator(this.#phone, { ...this.#query, index });
  }

  /** All that is there now; does not wait. */
  all(): Promise<Element[]> {
    return this.#ask('find');
  }

  async count(): Promise<number> {
    return (await this.all()).length;
  }

  /** Waits until it is there, alone. */
  waitFor(options?: WaitOptions): Promise<Element> {
    return this.#ask('waitFor', options);
  }

  waitForGone(options?: WaitOptions): Promise<void> {
    return this.#ask('waitForGone', options);
  }

  /** Its text, and that of all it holds. */
  async text(options?: WaitOptions): Promise<string> {
    return (await this.waitFor(options)).text;
  }

  press(options?: WaitOptions): Promise<void> {
    return this.#ask('press', options);
  }

  longPress(options?: WaitOptions): Promise<void> {
    return this.#ask('longPress', options);
  }

  /** Replaces the text of an input. */
  type(text: string, options?: WaitOptions): Promise<void> {
    return this.#ask('type', options, { text });
  }

  /** The return key of the keyboard. */
  submit(options?: WaitOptions): Promise<void> {
    return this.#ask('submit', options);
  }

  /** Scrolls to a distance from the top, in points, or to the end. */
  scroll(to: number | 'end', options?: WaitOptions): Promise<{ x: number; y: number }> {
    return this.#ask('scroll', options, { to });
  }

  /** Scrolls by a distance in as many frames of 1/60 s, and measures. */
  fling(distance: number, frames: number): Promise<Fling> {
    return this.#ask('fling', {}, { distance, frames });
  }

  /** Pulls a list down to refresh it. */
  refresh(options?: WaitOptions): Promise<void> {
    return this.#ask('refresh', options);
  }
}

export class Phone {
  readonly name: string;
  readonly storage: string;
  /** The app's log since it was started first, the last 500 lines. */
  readonly log: LogLine[] = [];
  /** What should not be: errors in the log and promises whose rejection nobody handled. */
  readonly problems: string[] = [];
  /** Milliseconds from the start of the runtime to the first commit, of the last start. */
  firstCommitMs = 0;

  readonly #options: PhoneOptions;
  readonly #link: Link | null;
  readonly #ownsStorage: boolean;
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (reason: Error) => void }>();
  readonly #waiting: { event: string; resolve: () => void }[] = [];
  #child: ChildProcess | null = null;
  #crash: CrashError | null = null;
  #lastId = 0;

  private constructor(options: PhoneOptions, link: Link | null) {
    this.#options = options;
    this.#link = link;
    this.name = options.name ?? 'phone';
    this.#ownsStorage = options.storage === undefined;
    this.storage = options.storage ?? mkdtempSync(join(tmpdir(), 'omnii-phone-'));
    mkdirSync(this.storage, { recursive: true });
  }

  /** Starts the app; resolves at its first commit. */
  static async start(options: PhoneOptions): Promise<Phone> {
    const link = options.server === undefined ? null : await Link.to(options.server);
    const phone = new Phone(options, link);
    await phone.#launch(options.url ?? null);
    return phone;
  }

  async #launch(url: string | null): Promise<void> {
    const { app, host = process.env['OMNII_HOST'], prelude = process.env['OMNII_PHONE_PRELUDE'], extra = {} } = this.#options;
    if (!host || !prelude) throw new Error('neither options nor OMNII_HOST and OMNII_PHONE_PRELUDE name the host and its prelude');
    const server = this.#link ? { supabaseUrl: this.#link.url, supabaseAnonKey: 'dev', mcpBaseUrl: this.#link.url } : {};
    const settings = {
      manifest: { ...app.manifest, extra: { ...(app.manifest['extra'] as object | undefined), ...server, ...extra } },
      reactNativeVersion: app.reactNativeVersion,
      expoModulesCoreVersion: app.expoModulesCoreVersion,
      url,
    };
    this.#crash = null;
    const child = spawn(host, ['--phone', prelude, app.bundle, JSON.stringify(settings)], {
      cwd: this.storage,
      // Databases lie in the app's own folder, as on a phone: two phones share nothing.
      env: { ...process.env, OMNII_SYNC_DIRECTORY: join(this.storage, 'databases') },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-8000);
      if (this.#options.verbose) process.stderr.write(text);
    });
    createInterface(child.stdout).on('line', (line) => this.#receive(JSON.parse(line) as Message));
    // A phone that was killed does not read any more.
    child.stdin.on('error', () => {});
    child.on('close', (code, signal) => {
      if (this.#child !== child) return;
      this.#child = null;
      this.#fail(new CrashError(`the phone's process ended (${signal ?? `code ${code}`})\n${stderr}`));
    });
    await this.#event('firstCommit', START_MS);
  }

  #event(event: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(new Error(`${this.name}: no ${event} within ${timeoutMs} ms${this.#lastLines()}`)), timeoutMs);
      const waiter = { event, resolve: () => settle(null) };
      const id = ++this.#lastId;
      const settle = (error: Error | null): void => {
        clearTimeout(timer);
        this.#pending.delete(id);
        const index = this.#waiting.indexOf(waiter);
        if (index >= 0) this.#waiting.splice(index, 1);
        if (error) reject(error);
        else resolve();
      };
      this.#waiting.push(waiter);
      // A crash ends the wait.
      this.#pending.set(id, { resolve: () => settle(null), reject: settle });
    });
  }

  #receive(message: Message): void {
    if (message.id !== undefined) {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if (message.error) pending?.reject(new Error(`${this.name}: ${message.error.message}\n${message.error.stack}`));
      else pending?.resolve(message.result);
      return;
    }
    switch (message.event) {
      case 'log':
        this.#note(String(message['level']), String(message['text']));
        break;
      case 'rejection':
        this.#note('error', `Unhandled promise rejection: ${String(message['message'])}\n${String(message['stack'])}`);
        break;
      case 'firstCommit':
        this.firstCommitMs = Number(message['realMs']);
        break;
      case 'crash': {
        const missing = (message['missing'] as State['missing'] | undefined) ?? [];
        const asked = missing.map(({ name, askedBy }) => `\n  ${name}, asked for by ${askedBy}`).join('');
        const hint = missing.length > 0 ? `\nnot on this phone:${asked}` : '';
        this.#fail(new CrashError(`${this.name}: the app crashed: ${String(message['message'])}\n${String(message['stack'])}${hint}`));
        break;
      }
      default:
        break;
    }
    for (const waiter of this.#waiting.filter(({ event }) => event === message.event)) waiter.resolve();
  }

  #note(level: string, text: string): void {
    this.log.push({ level, text });
    if (this.log.length > KEPT_LOG_LINES) this.log.shift();
    if (level === 'error') this.problems.push(text);
    if (this.#options.verbose) process.stderr.write(`[${this.name} ${level}] ${text}\n`);
  }

  #lastLines(): string {
    return this.log.slice(-20).map(({ level, text }) => `\n[${level}] ${text}`).join('');
  }

  #fail(error: CrashError): void {
    this.#crash ??= error;
    for (const { reject } of [...this.#pending.values()]) reject(error);
    this.#pending.clear();
  }

  /** Sends a command of the phone's own (`rust/host/phone/commands.ts`). */
  send<T>(command: string, rest: object = {}): Promise<T> {
    if (this.#crash) return Promise.reject(this.#crash);
    const child = this.#child;
    if (!child?.stdin) return Promise.reject(new Error(`${this.name} is off`));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      child.stdin?.write(`${JSON.stringify({ id, command, ...rest })}\n`);
    });
  }

  getByText(text: Matcher): Locator {
    return new Locator(this, { text: wire(text) });
  }

  getByLabel(label: Matcher): Locator {
    return new Locator(this, { label: wire(label) });
  }

  getByTestId(testId: Matcher): Locator {
    return new Locator(this, { testId: wire(testId) });
  }

  /** Waits until a condition holds; `look` is called every 50 ms. */
  async waitFor(look: () => Promise<boolean>, what: string, { timeoutMs = WAIT_MS }: WaitOptions = {}): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await look())) {
      if (Date.now() > deadline) throw new Error(`${this.name}: ${what}: not within ${timeoutMs} ms\n${await this.screenshotText()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** The back button or gesture. */
  back(): Promise<void> {
    return this.send('back');
  }

  /** Another app, or a notification, opens a link while this one runs. */
  deepLink(url: string): Promise<void> {
    return this.send('deepLink', { url });
  }

  setAppState(state: 'active' | 'background'): Promise<void> {
    return this.send('setAppState', { state });
  }

  setColorScheme(scheme: 'light' | 'dark'): Promise<void> {
    return this.send('setColorScheme', { scheme });
  }

  /** Cuts or mends the way to the server, and tells the app as the system would. */
  async setOnline(online: boolean): Promise<void> {
    if (online) await this.#link?.mend();
    else await this.#link?.cut();
    await this.send('setOnline', { online });
  }

  /** Makes answers of the server come as slowly as on a bad network, in bytes a second; Infinity for as fast as they can. */
  setBandwidth(bytesPerSecond: number): void {
    this.#link?.limit(bytesPerSecond);
  }

  /** Moves the app's clock on; its timers fire on the way. The engine's own clock is the real one. */
  advance(ms: number): Promise<void> {
    return this.send('advance', { ms });
  }

  /** The process ends at once, as when the system needs the memory. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = null;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
    this.#fail(new CrashError(`${this.name} was killed`));
  }

  /** Starts the app again on the same storage; ends it first if it runs. */
  async restart({ url = null }: { url?: string | null } = {}): Promise<void> {
    await this.kill();
    await this.#launch(url);
  }

  /** A new runtime in the same process, as Fast Refresh and expo-updates make one; resolves at its first commit. */
  async reload(): Promise<void> {
    const begun = this.#event('firstCommit', START_MS);
    // The runtime may be gone before it answers.
    this.send('reload').catch(() => {});
    await begun;
  }

  /** The tree as React drew it. */
  tree(): Promise<string> {
    return this.send('tree');
  }

  /** The texts on the screen, about where they are. */
  screenshotText(): Promise<string> {
    return this.send('screenText');
  }

  state(): Promise<State> {
    return this.send('state');
  }

  /** Times since they were last asked for. */
  taskTimes(): Promise<TaskTimes> {
    return this.send('taskTimes');
  }

  /** Runs JavaScript in the app's realm and answers what it comes to. */
  evaluate<T>(source: string): Promise<T> {
    return this.send('evaluate', { source });
  }

  /** Ends the app and removes its storage if it was a temporary one. */
  async close(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child) {
      const closed = new Promise((resolve) => child.once('close', resolve));
      child.stdin?.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), EXIT_MS);
      await closed;
      clearTimeout(timer);
    }
    await this.#link?.cut();
    if (this.#ownsStorage) rmSync(this.storage, { recursive: true, force: true });
  }
}
