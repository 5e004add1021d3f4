/**
 * `nativeFabricUIManager`: what React draws, recorded. Shadow nodes are immutable but while they are built, as in React
 * Native; a *family* is what its clones have in common: the tag, React's handle for events, the frame Yoga gave it.
 *
 * A commit replaces the children of a root. What did not change is the same object as before, so a commit costs what
 * changed. After it: layout, then `topLayout` events and those that native views send once they are mounted.
 */
import { define } from '../prelude/native';
import { guard } from '../prelude/errors';
import { elapsed } from './clock';
import { schedule } from './scheduler';

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Family {
  tag: number;
  name: string;
  root: number;
  /** React's own object for the instance, handed back with each event. */
  handle: unknown;
  parent: Family | null;
  /** The node of the last commit; null before the first and after the last one that showed it. */
  current: ShadowNode | null;
  /** Relative to the parent, in points. */
  frame: Rect;
  /** What a native view keeps by itself: scroll offset, text of an input, focus. */
  state: Record<string, unknown>;
}

export type Props = Record<string, unknown>;

export interface ShadowNode {
  readonly family: Family;
  readonly props: Props;
  readonly children: ShadowNode[];
}

/** React Native's priorities of events. */
export const EventPriority = { default: 0, discrete: 1, continuous: 2, idle: 3 } as const;

type EventHandler = (handle: unknown, type: string, payload: object) => void;
type Mounted = (node: ShadowNode) => void;

/** The window; React Native's rootTag of it. */
export const ROOT = 11;
export const WINDOW = { width: 390, height: 844, scale: 3, fontScale: 1 };

const roots = new Map<number, ShadowNode>();
const families = new Map<number, Family>();
let handler: EventHandler | null = null;
let eventPriority: number = EventPriority.default;
const commitListeners: ((root: ShadowNode) => void)[] = [];
const mountListeners: Mounted[] = [];
const commands: Record<string, (node: ShadowNode, args: unknown[]) => void> = {};

export const commits = { count: 0, firstAt: 0, lastAt: 0 };

/** Called after each commit, before the next task; answers how to stop that. */
export function onCommit(listener: (root: ShadowNode) => void): () => void {
  commitListeners.push(listener);
  return () => {
    const index = commitListeners.indexOf(listener);
    if (index >= 0) commitListeners.splice(index, 1);
  };
}

/** Called for each node that a commit has shown for the first time, in a task of its own. */
export function onMount(listener: Mounted): void {
  mountListeners.push(listener);
}

/** Defines what a native view does on a command of JavaScript's, by its name: `focus`, `scrollTo`… */
export function onViewCommand(name: string, run: (node: ShadowNode, args: unknown[]) => void): void {
  commands[name] = run;
}

export function rootNode(tag: number = ROOT): ShadowNode {
  let root = roots.get(tag);
  if (!root) {
    const family = newFamily(tag, 'RootView', tag, null);
    root = { family, props: {}, children: [] };
    family.current = root;
    family.frame = { x: 0, y: 0, width: WINDOW.width, height: WINDOW.height };
    roots.set(tag, root);
  }
  return root;
}

function newFamily(tag: number, name: string, root: number, handle: unknown): Family {
  return { tag, name, root, handle, parent: null, current: null, frame: { x: 0, y: 0, width: 0, height: 0 }, state: {} };
}

/** New values over the old ones; null and undefined take a value away. */
function merge(props: Props, changes: Props | null | undefined): Props {
  const merged = { ...props };
  for (const name in changes) {
    const value = changes[name];
    if (value === null || value === undefined) delete merged[name];
    else merged[name] = value;
  }
  return merged;
}

/** The node as it is shown now, for one that may be of an earlier commit. */
export function currentOf(node: ShadowNode): ShadowNode {
  return node.family.current ?? node;
}

function completeRoot(tag: number, children: ShadowNode[]): void {
  const before = rootNode(tag);
  const root: ShadowNode = { family: before.family, props: before.props, children };
  roots.set(tag, root);
  root.family.current = root;
  const mounted: ShadowNode[] = [];
  const gone = new Set<Family>();
  forget(before, root, gone);
  adopt(root, mounted);
  for (const family of gone) {
    family.current = null;
    family.parent = null;
    families.delete(family.tag);
  }
  commits.count++;
  commits.lastAt = elapsed();
  if (commits.count === 1) commits.firstAt = commits.lastAt;
  for (const listener of [...commitListeners]) listener(root);
  if (mounted.length > 0) {
    schedule(2, () => {
      for (const node of mounted) if (node.family.current) for (const listener of mountListeners) guard(listener, currentOf(node));
    });
  }
}

/** Collects the families that were shown before; `adopt` takes those that still are from the set again. */
function forget(before: ShadowNode, after: ShadowNode, gone: Set<Family>): void {
  const kept = new Set(after.children);
  for (const child of before.children) if (!kept.has(child)) collect(child, gone);
  for (const child of after.children) removeAll(child, gone);
}

function collect(node: ShadowNode, into: Set<Family>): void {
  into.add(node.family);
  for (const child of node.children) collect(child, into);
}

function removeAll(node: ShadowNode, from: Set<Family>): void {
  if (from.size === 0) return;
  from.delete(node.family);
  for (const child of node.children) removeAll(child, from);
}

/** Makes a tree the one that is shown, below its root; subtrees that are the same as before are left alone. */
function adopt(parent: ShadowNode, mounted: ShadowNode[]): void {
  for (const node of parent.children) {
    const { family } = node;
    if (family.current === node && family.parent === parent.family) continue;
    if (!family.current) mounted.push(node);
    family.current = node;
    family.parent = parent.family;
    families.set(family.tag, family);
    adopt(node, mounted);
  }
}

/** Sends an event of a native view to React. */
export function dispatch(node: ShadowNode, type: string, payload: object = {}, priority: number = EventPriority.discrete): void {
  const { family } = node;
  if (!handler || !family.current) return;
  const before = eventPriority;
  eventPriority = priority;
  try {
    guard(handler, family.handle, type, { target: family.tag, timeStamp: elapsed(), ...payload });
  } finally {
    eventPriority = before;
  }
}

/** The frame in the window: offsets of the ancestors added, scroll offsets taken off. */
export function frameInWindow(node: ShadowNode): Rect {
  const { width, height } = node.family.frame;
  let x = 0;
  let y = 0;
  for (let family: Family | null = node.family; family; family = family.parent) {
    x += family.frame.x;
    y += family.frame.y;
    const offset = family.parent?.state['contentOffset'] as { x: number; y: number } | undefined;
    if (offset) {
      x -= offset.x;
      y -= offset.y;
    }
  }
  return { x, y, width, height };
}

/** All nodes shown below a node that pass a test, in the order of the tree. */
export function findAll(test: (node: ShadowNode) => boolean, from: ShadowNode = rootNode()): ShadowNode[] {
  const found: ShadowNode[] = [];
  const walk = (node: ShadowNode): void => {
    if (test(node)) found.push(node);
    node.children.forEach(walk);
  };
  walk(from);
  return found;
}

/** The node of an instance that React or the DOM module hands in. */
export function resolve(reference: unknown): ShadowNode {
  return currentOf(reference as ShadowNode);
}

type Measured = (x: number, y: number, width: number, height: number, pageX: number, pageY: number) => void;

export function measureLayout(node: ShadowNode, ancestor: ShadowNode): Rect {
  const a = frameInWindow(node);
  const b = frameInWindow(ancestor);
  return { x: a.x - b.x, y: a.y - b.y, width: a.width, height: a.height };
}

export function installFabric(): void {
  define('nativeFabricUIManager', {
    createNode: (tag: number, name: string, root: number, props: Props, handle: unknown): ShadowNode => ({
      family: newFamily(tag, name, root, handle),
      props: merge({}, props),
      children: [],
    }),
    cloneNode: (node: ShadowNode): ShadowNode => ({ ...node, children: [...node.children] }),
    cloneNodeWithNewChildren: (node: ShadowNode, children?: ShadowNode[]): ShadowNode => ({ ...node, children: children ? [...children] : [] }),
    cloneNodeWithNewProps: (node: ShadowNode, props: Props): ShadowNode => ({
      family: node.family,
      props: merge(node.props, props),
      children: [...node.children],
    }),
    // React hands in the children second or third, by its feature flags.
    cloneNodeWithNewChildrenAndProps: (node: ShadowNode, a: ShadowNode[] | Props, b?: Props): ShadowNode => {
      const [children, props] = Array.isArray(a) ? [a, b] : [[], a];
      return { family: node.family, props: merge(node.props, props), children: [...children] };
    },
    appendChild: (parent: ShadowNode, child: ShadowNode): ShadowNode => {
      parent.children.push(child);
      return parent;
    },
    createChildSet: (): ShadowNode[] => [],
    appendChildToSet: (set: ShadowNode[], child: ShadowNode): void => void set.push(child),
    completeRoot,
    registerEventHandler: (given: EventHandler): void => {
      handler = given;
    },
    dispatchCommand: (node: ShadowNode, name: string, args: unknown[]): void => commands[name]?.(resolve(node), args),
    setNativeProps: (node: ShadowNode, props: Props): void => {
      const { family } = resolve(node);
      family.state['nativeProps'] = merge((family.state['nativeProps'] ?? {}) as Props, props);
    },
    measure: (node: ShadowNode, callback: Measured): void => {
      const { x, y, width, height } = frameInWindow(resolve(node));
      const { frame } = node.family;
      callback(frame.x, frame.y, width, height, x, y);
    },
    measureInWindow: (node: ShadowNode, callback: (x: number, y: number, width: number, height: number) => void): void => {
      const { x, y, width, height } = frameInWindow(resolve(node));
      callback(x, y, width, height);
    },
    measureLayout: (
      node: ShadowNode,
      ancestor: ShadowNode,
      _fail: () => void,
      callback: (x: number, y: number, width: number, height: number) => void,
    ): void => {
      const { x, y, width, height } = measureLayout(resolve(node), resolve(ancestor));
      callback(x, y, width, height);
    },
    getBoundingClientRect: (node: ShadowNode): number[] => {
      const { x, y, width, height } = frameInWindow(resolve(node));
      return [x, y, width, height];
    },
    findShadowNodeByTag_DEPRECATED: (tag: number): ShadowNode | null => families.get(tag)?.current ?? null,
    findNodeAtPoint: (node: ShadowNode, _x: number, _y: number, callback: (handle: unknown) => void): void => callback(node.family.handle),
    compareDocumentPosition: (): number => 0,
    configureNextLayoutAnimation(): void {},
    sendAccessibilityEvent(): void {},
    setIsJSResponder(): void {},
    unstable_DefaultEventPriority: EventPriority.default,
    unstable_DiscreteEventPriority: EventPriority.discrete,
    unstable_ContinuousEventPriority: EventPriority.continuous,
    unstable_IdleEventPriority: EventPriority.idle,
    unstable_getCurrentEventPriority: (): number => eventPriority,
  });
}
