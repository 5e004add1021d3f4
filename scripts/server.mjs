// Sets up and runs the reference backend.
//
//   npm run server -- [--port 8787] [--database FILE] [--seed ROWS] …      all flags: npm run server -- --help
//
// The server's first line on stdout is JSON with its address, so what setup has to say goes to stderr. Paths are meant as
// seen from where npm was called. SIGINT and SIGTERM stop the server; its exit code is ours.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { serverBinary } from './cargo.mjs';
import { setup } from './setup.mjs';

await setup({ toStderr: true });
const child = spawn(serverBinary(), process.argv.slice(2), { stdio: 'inherit', cwd: process.env.INIT_CWD });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  // From a terminal SIGINT reaches the server by itself; a second one does no harm.
  process.on(signal, () => child.kill(signal));
}
child.on('error', (error) => {
  console.error(`server: ${error.message}`);
  process.exitCode = 1;
});
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
