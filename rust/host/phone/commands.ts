/** What the driver can ask of the phone. Arguments and answers are those of `scripts/phone/phone.ts`. */
import { call, native } from '../prelude/native';
import { type Command, onCommand, tell } from './channel';
import { advance, elapsed, realElapsed } from './clock';
import { commits, currentOf, dispatch, EventPriority, onCommit } from './fabric';
import { missingModules } from './failures';
import { requestsInFlight } from './http';
import { longPress, press, reveal, scroll, submit, type } from './input';
import { contentSize } from './layout';
import { describe, find, gone, isDisabled, one, type Query, screenText, treeText, viewCount } from './queries';

const FRAME_MS = 1000 / 60;

const queryOf = (command: Command): Query => command['query'] as Query;
const timeoutOf = (command: Command): number => Number(command['timeoutMs']);

/** The node to act on: there, enabled, and scrolled into the window. */
async function target(command: Command) {
  const node = await one(queryOf(command), timeoutOf(command), (found) => !isDisabled(found));
  await reveal(node);
  return currentOf(node);
}

interface Fling {
  frames: number;
  commits: number;
  /** The longest a frame came late, in milliseconds. */
  latestFrameMs: number;
  /** The longest from a scroll event to the commit that answered it. */
  latestCommitMs: number;
  nativeTasks: object;
}

/** Scrolls by a distance, one step a frame, and measures how late frames and commits come. */
async function fling(command: Command): Promise<Fling> {
  const node = await one(queryOf(command), timeoutOf(command));
  const frames = Number(command['frames']);
  const step = Number(command['distance']) / frames;
  const result: Fling = { frames, commits: 0, latestFrameMs: 0, latestCommitMs: 0, nativeTasks: {} };
  let sentAt = 0;
  const stop = onCommit(() => {
    result.commits++;
    if (sentAt > 0) result.latestCommitMs = Math.max(result.latestCommitMs, realElapsed() - sentAt);
    sentAt = 0;
  });
  call('taskTimes');
  let due = realElapsed();
  for (let frame = 0; frame < frames; frame++) {
    due = Math.max(due + FRAME_MS, realElapsed());
    await new Promise((resolve) => setTimeout(resolve, due - realElapsed()));
    result.latestFrameMs = Math.max(result.latestFrameMs, realElapsed() - due);
    const now = currentOf(node);
    const offset = (now.family.state['contentOffset'] as { y: number } | undefined)?.y ?? 0;
    if (sentAt === 0) sentAt = realElapsed();
    await scroll(now, { y: offset + step });
  }
  stop();
  result.nativeTasks = call('taskTimes');
  return result;
}

export function installCommands(): void {
  onCommand('find', (command) => find(queryOf(command)).map(describe));
  onCommand('waitFor', async (command) => describe(await one(queryOf(command), timeoutOf(command))));
  onCommand('waitForGone', (command) => gone(queryOf(command), timeoutOf(command)));
  onCommand('press', async (command) => press(await target(command)));
  onCommand('longPress', async (command) => longPress(await target(command)));
  onCommand('type', async (command) => type(await target(command), String(command['text'])));
  onCommand('submit', async (command) => submit(await target(command)));
  onCommand('scroll', async (command) => {
    const node = await one(queryOf(command), timeoutOf(command));
    const to = command['to'] === 'end' ? { y: contentSize(node).height } : { y: Number(command['to']) };
    return scroll(node, to);
  });
  onCommand('fling', fling);
  onCommand('refresh', async (command) => dispatch(await target(command), 'topRefresh', {}, EventPriority.discrete));
  onCommand('tree', treeText);
  onCommand('screenText', screenText);
  onCommand('advance', ({ ms }) => advance(Number(ms)));
  onCommand('state', () => ({
    commits: commits.count,
    firstCommitMs: commits.firstAt,
    lastCommitMs: commits.lastAt,
    elapsedMs: elapsed(),
    views: viewCount(),
    requestsInFlight: requestsInFlight(),
    missing: missingModules(),
    system: call('system'),
  }));
  onCommand('taskTimes', () => call('taskTimes'));
  onCommand('evaluate', ({ source }) => native.evaluate(String(source), 'driver'));
  onCommand('reload', () => {
    tell('reload');
    call('reload');
  });
}
