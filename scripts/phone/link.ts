/**
 * The phone's way to a server: a proxy on loopback that a test can cut or slow down. Connections that are open when it is cut
 * are lost, as in a tunnel.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Link {
  /** Where the phone finds the server, whether or not it can be reached now. */
  readonly url: string;
  readonly #target: URL;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | null;
  #bytesPerSecond = Infinity;

  private constructor(target: URL, server: Server, port: number) {
    this.#target = target;
    this.#server = server;
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#serve(server);
  }

  static async to(url: string): Promise<Link> {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
    return new Link(new URL(url), server, address.port);
  }

  #serve(server: Server): void {
    server.on('connection', (inner) => {
      const outer = connect(Number(this.#target.port), this.#target.hostname);
      for (const socket of [inner, outer]) {
        this.#sockets.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          this.#sockets.delete(socket);
          inner.destroy();
          outer.destroy();
        });
      }
      inner.pipe(outer);
      outer.on('data', (bytes) => this.#deliver(bytes, outer, inner));
      outer.on('end', () => inner.end());
    });
  }

  /** Hands bytes to the phone no faster than the link is. */
  #deliver(bytes: Buffer, from: Socket, to: Socket): void {
    const ms = (bytes.length / this.#bytesPerSecond) * 1000;
    if (ms === 0) {
      if (!to.write(bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
      return;
    }
    from.pause();
    setTimeout(() => {
      if (!to.destroyed) to.write(bytes);
      from.resume();
    }, ms);
  }

  /** How fast answers come; Infinity, the default, for as fast as they can. */
  limit(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Ends all connections and refuses new ones. */
  async cut(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async mend(): Promise<void> {
    if (this.#server) return;
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.#serve(server);
  }
}
