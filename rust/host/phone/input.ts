/** Fingers and keys: what a user does, as the events that native views would send. */
import { CommandError } from './channel';
import { nextTask } from './clock';
import { currentOf, dispatch, EventPriority, type Family, frameInWindow, onMount, onViewCommand, type ShadowNode } from './fabric';
import { contentSize, inputText, isInput, isScrollView, relayout } from './layout';
import { safeArea } from './turbo/platform';

const LONG_PRESS_MS = 600;
let focused: Family | null = null;

interface Offset {
  x: number;
  y: number;
}

function touch(node: ShadowNode): object {
  const { x, y, width, height } = frameInWindow(node);
  const page = { pageX: x + width / 2, pageY: y + height / 2 };
  return {
    identifier: 0,
    target: node.family.tag,
    ...page,
    screenX: page.pageX,
    screenY: page.pageY,
    locationX: width / 2,
    locationY: height / 2,
    timestamp: Date.now(),
    force: 1,
  };
}

/** A finger goes down on the middle of a node, stays for a while and comes up. */
export async function press(node: ShadowNode, holdMs = 0): Promise<void> {
  const down = touch(node);
  dispatch(node, 'topTouchStart', { ...down, touches: [down], changedTouches: [down] });
  if (holdMs > 0) await new Promise((resolve) => setTimeout(resolve, holdMs));
  else await nextTask();
  const up = touch(currentOf(node));
  dispatch(currentOf(node), 'topTouchEnd', { ...up, touches: [], changedTouches: [up] });
  await nextTask();
}

export const longPress = (node: ShadowNode): Promise<void> => press(node, LONG_PRESS_MS);

function focus(node: ShadowNode): void {
  if (focused === node.family) return;
  if (focused?.current) blur(focused.current);
  focused = node.family;
  dispatch(node, 'topFocus');
}

function blur(node: ShadowNode): void {
  if (focused !== node.family) return;
  focused = null;
  dispatch(node, 'topEndEditing', { text: inputText(node) });
  dispatch(node, 'topBlur');
}

/** Replaces the text of an input, one change for the whole, as a paste would. */
export async function type(node: ShadowNode, text: string): Promise<void> {
  if (!isInput(node)) throw new CommandError(`${node.family.name} is no text input`);
  if (node.props['editable'] === false) throw new CommandError('the text input is not editable');
  focus(node);
  await nextTask();
  setText(node.family, text);
  const count = Number(node.family.state['eventCount'] ?? 0) + 1;
  node.family.state['eventCount'] = count;
  dispatch(currentOf(node), 'topChange', { text, eventCount: count });
  await nextTask();
}

function setText(family: Family, text: string): void {
  family.state['text'] = text;
  if (family.current) relayout(family.current);
}

/** The return key. */
export async function submit(node: ShadowNode): Promise<void> {
  dispatch(currentOf(node), 'topSubmitEditing', { text: inputText(node) });
  if (node.props['blurOnSubmit'] !== false && node.props['multiline'] !== true) blur(currentOf(node));
  await nextTask();
}

/** Moves what a scroll view shows, within its bounds, and tells it as one drag of a finger. */
export async function scroll(node: ShadowNode, to: Partial<Offset>): Promise<Offset> {
  if (!isScrollView(node)) throw new CommandError(`${node.family.name} does not scroll`);
  dispatch(node, 'topScrollBeginDrag', scrollEvent(node), EventPriority.continuous);
  const offset = moveTo(node, to);
  dispatch(node, 'topScrollEndDrag', scrollEvent(node), EventPriority.continuous);
  await nextTask();
  return offset;
}

function moveTo(node: ShadowNode, to: Partial<Offset>): Offset {
  const { frame, state } = node.family;
  const content = contentSize(node);
  const now = offsetOf(node);
  const within = (value: number, most: number): number => Math.max(0, Math.min(value, Math.max(0, most)));
  const offset = { x: within(to.x ?? now.x, content.width - frame.width), y: within(to.y ?? now.y, content.height - frame.height) };
  state['contentOffset'] = offset;
  dispatch(node, 'topScroll', scrollEvent(node), EventPriority.continuous);
  return offset;
}

function offsetOf(node: ShadowNode): Offset {
  return (node.family.state['contentOffset'] as Offset | undefined) ?? { x: 0, y: 0 };
}

function scrollEvent(node: ShadowNode): object {
  const { frame } = node.family;
  return {
    contentInset: { top: 0, left: 0, bottom: 0, right: 0 },
    contentOffset: offsetOf(node),
    contentSize: contentSize(node),
    layoutMeasurement: { width: frame.width, height: frame.height },
    zoomScale: 1,
    velocity: { x: 0, y: 0 },
    responderIgnoreScroll: true,
  };
}

/** Scrolls what is around a node until its middle is in the window. */
export async function reveal(node: ShadowNode): Promise<void> {
  for (let family = node.family.parent; family; family = family.parent) {
    const view = family.current;
    if (!view || !isScrollView(view)) continue;
    const inside = frameInWindow(currentOf(node));
    const outside = frameInWindow(view);
    const middle = inside.y + inside.height / 2;
    if (middle < outside.y || middle > outside.y + outside.height) {
      await scroll(view, { y: offsetOf(view).y + middle - (outside.y + outside.height / 2) });
      await nextTask();
    }
  }
}

/** What happens by itself in native views, and what JavaScript asks of them. */
export function installInput(): void {
  onViewCommand('focus', focus);
  onViewCommand('blur', blur);
  onViewCommand('setTextAndSelection', (node, [count, text]) => {
    // An older text than what was typed meanwhile.
    if (Number(count) < Number(node.family.state['eventCount'] ?? 0)) return;
    if (typeof text === 'string') setText(node.family, text);
  });
  onViewCommand('scrollTo', (node, [x, y]) => void moveTo(node, { x: Number(x), y: Number(y) }));
  onViewCommand('scrollToEnd', (node) => void moveTo(node, { y: contentSize(node).height }));
  onMount((node) => {
    // The native view of react-native-safe-area-context tells its insets once it is shown.
    if (node.family.name === 'RNCSafeAreaProvider') dispatch(node, 'topInsetsChange', safeArea(), EventPriority.default);
    if (node.family.name.endsWith('TextInput') && node.props['autoFocus'] === true) focus(node);
  });
}
