/** The reference backend as a child process, for flows: started on a free port, asked for its address, really stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

interface Greeting {
  url: string;
  api: string;
  demo: { email: string; password: string; userId: string } | null;
}

export interface Credentials {
  email: string;
  password: string;
}

const START_MS = 20_000;

export class BackendServer {
  readonly url: string;
  readonly api: string;
  readonly demo: Greeting['demo'];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, greeting: Greeting) {
    this.#child = child;
    this.url = greeting.url;
    this.api = greeting.api;
    this.demo = greeting.demo;
  }

  /** `args` as `npm run server` takes them, but the port. */
  static start(args: string[] = [], binary = process.env['OMNII_SERVER']): Promise<BackendServer> {
    if (!binary) throw new Error('OMNII_SERVER does not name the server');
    const child = spawn(binary, ['--port', '0', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4000)));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the server did not start:\n${log}`)), START_MS);
      createInterface(child.stdout).once('line', (line) => {
        clearTimeout(timer);
        resolve(new BackendServer(child, JSON.parse(line) as Greeting));
      });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`the server ended:\n${log}`)));
    });
  }

  /** Makes a user, and answers who they are to the app. */
  async signUp(email: string, password = 'a long password'): Promise<Credentials> {
    const response = await fetch(`${this.url}/auth/v1/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', apikey: 'dev' },
      body: JSON.stringify({ email, password }),
    });
    if (!response.ok) throw new Error(`sign up: ${response.status} ${await response.text()}`);
    return { email, password };
  }

  /** An access token of a user's. */
  async token({ email, password }: Credentials): Promise<string> {
    const response = await fetch(`${this.url}/auth/v1/token?grant_type=password`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', apikey: 'dev' },
      body: JSON.stringify({ email, password }),
    });
    if (!response.ok) throw new Error(`sign in: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { access_token: string }).access_token;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await exited;
  }
}
