/**
 * The way to the driver (`scripts/phone/`): commands come as lines of JSON `{id, command, ...}`, and everything said goes
 * to standard output as lines of JSON: `{id, result}`, `{id, error}` or `{event, ...}`. Nothing else writes there.
 */
import { native } from '../prelude/native';

export interface Command {
  id: number;
  command: string;
  [argument: string]: unknown;
}

function send(message: object): void {
  native.write(false, `${JSON.stringify(message)}\n`);
}

/** Tells the driver what has happened. */
export function tell(event: string, details: object = {}): void {
  send({ event, ...details });
}

/** An error that is the driver's or the test's fault; it is told without a stack. */
export class CommandError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CommandError';
  }
}

type Handler = (command: Command) => unknown;

const handlers = new Map<string, Handler>();

export function onCommand(name: string, handler: Handler): void {
  handlers.set(name, handler);
}

/** Takes a line of standard input; answers when the handler is done. */
export function receive(line: string): void {
  const command = JSON.parse(line) as Command;
  const answer = async () => {
    const handler = handlers.get(command.command);
    if (!handler) throw new CommandError(`the phone knows no command "${command.command}"`);
    return await handler(command);
  };
  answer().then(
    (result) => send({ id: command.id, result: result === undefined ? null : result }),
    (thrown: unknown) => send({ id: command.id, error: describe(thrown) }),
  );
}

function describe(thrown: unknown): { message: string; stack: string } {
  if (thrown instanceof CommandError) return { message: thrown.message, stack: '' };
  if (thrown instanceof Error) return { message: thrown.message, stack: thrown.stack ?? '' };
  return { message: String(thrown), stack: '' };
}
