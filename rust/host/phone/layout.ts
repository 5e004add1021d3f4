/**
 * Frames, by Yoga (`__layout`, rust/host/cpp/Layout.cpp). A commit hands over what changed, Yoga calculates the window, and
 * the frames that changed go to their families and, as `topLayout`, to React. Text is measured by estimate; native views
 * that have a size of their own get a common one.
 */
import { currentOf, dispatch, EventPriority, type Family, onCommit, onViewCommand, type Props, type ShadowNode, WINDOW } from './fabric';
import { schedule } from './scheduler';

/** What was last handed to Yoga for a family. */
interface Known {
  props: Props | null;
  children: ShadowNode[] | null;
  text: string | null;
}

const known = new Map<Family, Known>();
const SCROLL_VIEWS = new Set(['RCTScrollView', 'AndroidHorizontalScrollView']);
/** Native views with a size of their own, in points. */
const INTRINSIC: Record<string, { width: number; height: number }> = {
  AndroidSwitch: { width: 51, height: 31 },
  AndroidProgressBar: { width: 20, height: 20 },
};
const DEFAULT_FONT_SIZE = 14;

export const isText = (node: ShadowNode): boolean => node.family.name === 'RCTText';
export const isInput = (node: ShadowNode): boolean => node.family.name.endsWith('TextInput');
export const isScrollView = (node: ShadowNode): boolean => SCROLL_VIEWS.has(node.family.name);

/** A prop as text: React Native's own are strings and numbers. */
export function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The text below a node. */
export function textOf(node: ShadowNode): string {
  if (node.family.name === 'RCTRawText') return asText(node.props['text']);
  if (isInput(node)) return inputText(node);
  return node.children.map(textOf).join('');
}

/** What an input shows: what was typed since, else what the app gave it. */
export function inputText(node: ShadowNode): string {
  return asText(node.family.state['text'] ?? node.props['text'] ?? node.props['defaultValue']);
}

/** Whether the children of a node are views with frames of their own. */
function hasViews(node: ShadowNode): boolean {
  return !isText(node) && !isInput(node);
}

function textSpec(node: ShadowNode): object | null {
  const { props } = node;
  const text = isText(node) ? textOf(node) : isInput(node) ? inputText(node) || asText(props['placeholder']) || ' ' : null;
  if (text === null) return null;
  const numberOfLines = Number(props['numberOfLines']) || (isInput(node) && props['multiline'] !== true ? 1 : 0);
  return {
    text,
    fontSize: (props['fontSize'] as number | undefined) ?? DEFAULT_FONT_SIZE,
    lineHeight: props['lineHeight'],
    fontWeight: props['fontWeight'],
    letterSpacing: props['letterSpacing'],
    ...(numberOfLines > 0 ? { numberOfLines } : {}),
  };
}

function styleOf(node: ShadowNode): Props {
  const { name } = node.family;
  if (isScrollView(node)) return { flexDirection: name === 'RCTScrollView' ? 'column' : 'row', ...node.props, overflow: 'scroll' };
  // The header is drawn by native code, above the screen's content and outside of its flow.
  if (name === 'RNSScreenStackHeaderConfig') return { ...node.props, position: 'absolute', top: 0, left: 0, right: 0 };
  const size = INTRINSIC[name];
  return size ? { ...size, ...node.props } : node.props;
}

function update(node: ShadowNode): void {
  const { family } = node;
  let entry = known.get(family);
  if (!entry) {
    __layout.create(family.tag);
    entry = { props: null, children: null, text: null };
    known.set(family, entry);
  }
  if (entry.props !== node.props) {
    entry.props = node.props;
    __layout.style(family.tag, styleOf(node));
  }
  const spec = textSpec(node);
  if (spec) {
    const text = JSON.stringify(spec);
    if (entry.text !== text) {
      entry.text = text;
      __layout.text(family.tag, spec);
    }
  }
  if (entry.children === node.children) return;
  const children = hasViews(node) ? node.children : [];
  for (const child of children) update(child);
  entry.children = node.children;
  __layout.children(
    family.tag,
    children.map((child) => child.family.tag),
  );
}

function discard(): void {
  for (const family of known.keys()) {
    if (family.current) continue;
    known.delete(family);
    __layout.remove(family.tag);
  }
}

function calculate(root: ShadowNode): void {
  const frames = new Float64Array(__layout.calculate(root.family.tag, WINDOW.width, WINDOW.height));
  if (frames.length === 0) return;
  const families = new Map([...known.keys()].map((family) => [family.tag, family]));
  const changed: Family[] = [];
  for (let i = 0; i < frames.length; i += 5) {
    const family = families.get(frames[i] as number);
    if (!family) continue;
    const [x, y, width, height] = frames.subarray(i + 1, i + 5) as unknown as [number, number, number, number];
    const { frame } = family;
    if (frame.x === x && frame.y === y && frame.width === width && frame.height === height) continue;
    family.frame = { x, y, width, height };
    if (family.current?.props['onLayout']) changed.push(family);
  }
  if (changed.length > 0) schedule(3, () => changed.forEach(tellLayout));
}

function tellLayout({ current, frame }: Family): void {
  if (current) dispatch(current, 'topLayout', { layout: { ...frame } }, EventPriority.default);
}

/** The size of what a scroll view scrolls. */
export function contentSize(node: ShadowNode): { width: number; height: number } {
  const content = currentOf(node).children[0];
  return content ? { width: content.family.frame.width, height: content.family.frame.height } : { width: 0, height: 0 };
}

/** Lays the root out again, after something native views keep by themselves has changed. */
export function relayout(node: ShadowNode): void {
  const entry = known.get(node.family);
  if (entry) entry.text = null;
  for (let family: Family | null = node.family; family; family = family.parent) {
    const ancestor = known.get(family);
    if (ancestor) ancestor.children = null;
    if (!family.parent && family.current) layOut(family.current);
  }
}

function layOut(root: ShadowNode): void {
  update(root);
  discard();
  calculate(root);
}

export function installLayout(): void {
  onCommit(layOut);
  for (const name of ['measure', 'hotspotUpdate', 'setPressed']) onViewCommand(name, () => {});
}
