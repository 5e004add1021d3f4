/**
 * Finding things on the screen as a user would: by their text, their accessibility label, or a test id. Only what is shown
 * counts: not what lies on a screen below another one, or on a tab that is not open.
 */
import { CommandError } from './channel';
import { elapsed } from './clock';
import { findAll, frameInWindow, type Rect, rootNode, type ShadowNode, WINDOW } from './fabric';
import { asText, isInput, isText, textOf } from './layout';

/** A text must be equal; a pattern must match somewhere. */
export type Matcher = string | { pattern: string; flags: string };

export interface Query {
  text?: Matcher;
  label?: Matcher;
  testId?: Matcher;
  /** Which one of several, from 0 in the order of the tree. Without it there must be one. */
  index?: number;
}

export interface Found {
  tag: number;
  view: string;
  text: string;
  label: string | null;
  testId: string | null;
  role: string | null;
  disabled: boolean;
  selected: boolean;
  frame: Rect;
  /** Whether a part of it is in the window, and not scrolled out of it. */
  inWindow: boolean;
}

function matches(value: unknown, matcher: Matcher): boolean {
  if (typeof value !== 'string') return false;
  return typeof matcher === 'string' ? value === matcher : new RegExp(matcher.pattern, matcher.flags).test(value);
}

/** Screens of react-native-screens that are kept but not shown. */
function isHidden(node: ShadowNode, parent: ShadowNode | null): boolean {
  if (node.props['display'] === 'none' || node.props['opacity'] === 0) return true;
  if (!/^RNS(Modal)?Screen$/.test(node.family.name)) return false;
  if (node.props['activityState'] === 0) return true;
  if (parent?.family.name !== 'RNSScreenStack') return false;
  const screens = parent.children.filter((child) => /^RNS(Modal)?Screen$/.test(child.family.name) && child.props['activityState'] !== 0);
  return screens.at(-1) !== node;
}

/** Every node that is shown, in the order of the tree. */
export function shown(): ShadowNode[] {
  const nodes: ShadowNode[] = [];
  const walk = (node: ShadowNode, parent: ShadowNode | null): void => {
    if (isHidden(node, parent)) return;
    nodes.push(node);
    for (const child of node.children) walk(child, node);
  };
  walk(rootNode(), null);
  return nodes;
}

function fits(node: ShadowNode, { text, label, testId }: Query): boolean {
  if (testId !== undefined && !matches(node.props['testID'], testId)) return false;
  if (label !== undefined && !matches(node.props['accessibilityLabel'], label)) return false;
  if (text !== undefined && !((isText(node) || isInput(node)) && matches(textOf(node), text))) return false;
  return text !== undefined || label !== undefined || testId !== undefined;
}

export function find(query: Query): ShadowNode[] {
  const found = shown().filter((node) => fits(node, query));
  if (query.index === undefined) return found;
  const one = found[query.index];
  return one ? [one] : [];
}

export function isDisabled(node: ShadowNode): boolean {
  const state = node.props['accessibilityState'] as { disabled?: boolean } | undefined;
  return state?.disabled === true || node.props['enabled'] === false;
}

export function describe(node: ShadowNode): Found {
  const { props, family } = node;
  const frame = frameInWindow(node);
  const state = props['accessibilityState'] as { selected?: boolean } | undefined;
  return {
    tag: family.tag,
    view: family.name,
    text: textOf(node),
    label: (props['accessibilityLabel'] as string | undefined) ?? null,
    testId: (props['testID'] as string | undefined) ?? null,
    role: (props['accessibilityRole'] as string | undefined) ?? (props['role'] as string | undefined) ?? null,
    disabled: isDisabled(node),
    selected: state?.selected === true,
    frame,
    inWindow: isInWindow(node, frame),
  };
}

function isInWindow(node: ShadowNode, frame: Rect): boolean {
  let area: Rect = { x: 0, y: 0, width: WINDOW.width, height: WINDOW.height };
  if (!overlaps(frame, area)) return false;
  for (let family = node.family.parent; family; family = family.parent) {
    if (!family.current || !/Scroll/.test(family.name)) continue;
    area = frameInWindow(family.current);
    if (!overlaps(frame, area)) return false;
  }
  return true;
}

function overlaps(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function show(query: Query): string {
  const of = (matcher: Matcher): string => (typeof matcher === 'string' ? JSON.stringify(matcher) : `/${matcher.pattern}/${matcher.flags}`);
  const parts = [];
  if (query.text !== undefined) parts.push(`text ${of(query.text)}`);
  if (query.label !== undefined) parts.push(`label ${of(query.label)}`);
  if (query.testId !== undefined) parts.push(`test id ${of(query.testId)}`);
  return parts.join(' and ') + (query.index === undefined ? '' : `, number ${query.index}`);
}

const POLL_MS = 25;

/** Resolves with the first value of `look` that is not undefined. Frames and scroll offsets change without a commit, so it polls. */
export async function until<T>(look: () => T | undefined, timeoutMs: number, failure: () => string): Promise<T> {
  const deadline = elapsed() + timeoutMs;
  for (;;) {
    const value = look();
    if (value !== undefined) return value;
    if (elapsed() > deadline) throw new CommandError(failure());
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The one node a query means, once it is there. */
export function one(query: Query, timeoutMs: number, isFine: (node: ShadowNode) => boolean = () => true): Promise<ShadowNode> {
  return until(
    () => {
      const found = find(query);
      if (found.length > 1) return undefined;
      const [node] = found;
      return node && isFine(node) ? node : undefined;
    },
    timeoutMs,
    () => {
      const found = find(query);
      if (found.length === 0) return `nothing with ${show(query)} within ${timeoutMs} ms\n${screenText()}`;
      if (found.length > 1) return `${found.length} with ${show(query)}, name one by its index\n${screenText()}`;
      return `what has ${show(query)} stayed disabled for ${timeoutMs} ms\n${screenText()}`;
    },
  );
}

/** Resolves once nothing fits a query any more. */
export async function gone(query: Query, timeoutMs: number): Promise<void> {
  await until(
    () => (find(query).length === 0 ? true : undefined),
    timeoutMs,
    () => `something with ${show(query)} is still there after ${timeoutMs} ms\n${screenText()}`,
  );
}

const COLUMNS = 78;
const ROW_HEIGHT = 18;

/** The screen in letters: every text about where it is. */
export function screenText(): string {
  const rows: string[][] = [];
  for (const node of shown()) {
    if (!isText(node) && !isInput(node)) continue;
    const frame = frameInWindow(node);
    if (!isInWindow(node, frame)) continue;
    const text = isInput(node) ? `[${textOf(node) || asText(node.props['placeholder'])}]` : textOf(node);
    const row = Math.max(0, Math.round(frame.y / ROW_HEIGHT));
    const column = Math.max(0, Math.round((frame.x / WINDOW.width) * COLUMNS));
    const line = (rows[row] ??= []);
    [...text.replace(/\s+/g, ' ')].slice(0, COLUMNS - column).forEach((letter, i) => (line[column + i] = letter));
  }
  const border = `+${'-'.repeat(COLUMNS)}+`;
  const lines = Array.from(rows, (row) => `|${Array.from({ length: COLUMNS }, (_, i) => row?.[i] ?? ' ').join('')}|`);
  return [border, ...lines, border].join('\n');
}

const SHOWN_PROPS = ['testID', 'accessibilityRole', 'accessibilityLabel', 'screenId'];

/** The tree as React drew it, with frames. */
export function treeText(): string {
  const lines: string[] = [];
  const walk = (node: ShadowNode, depth: number): void => {
    const { family, props } = node;
    const { x, y, width, height } = family.frame;
    const named = SHOWN_PROPS.filter((name) => typeof props[name] === 'string').map((name) => ` ${name}=${JSON.stringify(props[name])}`);
    const what = family.name === 'RCTRawText' ? JSON.stringify(props['text']) : `${family.name}${named.join('')} (${x},${y} ${width}x${height})`;
    lines.push('  '.repeat(depth) + what);
    for (const child of node.children) walk(child, depth + 1);
  };
  walk(rootNode(), 0);
  return lines.join('\n');
}

export const viewCount = (): number => findAll(() => true).length;
