/** The reference backend as a child process: started, asked for its address, and really stopped. */
import { until } from '../host/harness';
// Declares the global __host.
import type {} from '../host/host';

const START_MS = 20_000;
const STOP_MS = 5000;
const SIGKILL = 9;

export interface DemoServer {
  url: string;
  port: number;
  pid: number;
  user: { email: string; password: string };
  /** Resolves when the process is gone; may be called again. */
  stop(): Promise<void>;
}

/** The server's first line on stdout. */
interface Greeting {
  url: string;
  pid: number;
  demo: { email: string; password: string } | null;
}

export async function startServer(args: string[]): Promise<DemoServer> {
  const binary = process.env['OMNII_SERVER'];
  if (!binary) throw new Error('OMNII_SERVER does not name the server: run `npm run demo`');
  const lines: string[] = [];
  const log: string[] = [];
  const child = __host.spawn(binary, args, { onStdout: (line) => lines.push(line), onStderr: (line) => log.push(line) });
  let gone = false;
  const exited = child.exited.then(() => {
    gone = true;
  });
  await until(() => lines.length > 0 || gone, 'the backend to start', START_MS);
  const [first] = lines;
  if (first === undefined) throw new Error(`the backend did not start:\n${log.join('\n')}`);
  const { url, pid, demo } = JSON.parse(first) as Greeting;
  if (!demo) throw new Error('the backend has no demo user');
  return {
    url,
    port: Number(new URL(url).port),
    pid,
    user: { email: demo.email, password: demo.password },
    stop: async () => {
      child.kill();
      const timer = setTimeout(() => child.kill(SIGKILL), STOP_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}
