/** `NativeDOMCxx`: what refs and `measure` ask of the tree. */
import { findAll, frameInWindow, measureLayout, resolve, rootNode, ROOT, type ShadowNode, WINDOW } from '../fabric';
import { contentSize, textOf } from '../layout';
import { provide } from './registry';

const roots = new Map<number, unknown>();
const nothing = (): void => {};

export function installDom(): void {
  provide({
    NativeDOMCxx: {
      linkRootNode: (tag: number, handle: unknown) => {
        roots.set(tag, handle);
        return rootNode(tag);
      },
      getChildNodes: (node: ShadowNode) => resolve(node).children.map((child) => child.family.handle),
      getParentNode: (node: ShadowNode) => node.family.parent?.handle ?? roots.get(ROOT) ?? null,
      getElementById: (_root: number, id: string) => findAll((node) => node.props['nativeID'] === id)[0]?.family.handle ?? null,
      isConnected: (node: ShadowNode) => resolve(node).family.current !== null,
      compareDocumentPosition: () => 0,
      getBoundingClientRect: (node: ShadowNode) => {
        const { x, y, width, height } = frameInWindow(resolve(node));
        return [x, y, width, height];
      },
      getBorderWidth: () => [0, 0, 0, 0],
      getInnerSize: (node: ShadowNode) => [node.family.frame.width, node.family.frame.height],
      getScrollPosition: (node: ShadowNode) => {
        const offset = node.family.state['contentOffset'] as { x: number; y: number } | undefined;
        return [offset?.x ?? 0, offset?.y ?? 0];
      },
      getScrollSize: (node: ShadowNode) => {
        const { width, height } = contentSize(resolve(node));
        return [width, height];
      },
      getTagName: (node: ShadowNode) => `RN:${node.family.name}`,
      getTextContent: (node: ShadowNode) => textOf(resolve(node)),
      getOffset: (node: ShadowNode) => [node.family.parent?.handle ?? null, node.family.frame.y, node.family.frame.x],
      hasPointerCapture: () => false,
      setPointerCapture: nothing,
      releasePointerCapture: nothing,
      measure: (node: ShadowNode, callback: (...values: number[]) => void) => {
        const { x, y, width, height } = frameInWindow(resolve(node));
        callback(node.family.frame.x, node.family.frame.y, width, height, x, y);
      },
      measureInWindow: (node: ShadowNode, callback: (...values: number[]) => void) => {
        const { x, y, width, height } = frameInWindow(resolve(node));
        callback(x, y, width, height);
      },
      measureLayout: (node: ShadowNode, ancestor: ShadowNode, _fail: () => void, callback: (...values: number[]) => void) => {
        const { x, y, width, height } = measureLayout(resolve(node), resolve(ancestor));
        callback(x, y, width, height);
      },
      setNativeProps: (node: ShadowNode, props: object) => Object.assign(resolve(node).family.state, { nativeProps: props }),
      getViewportSize: () => [WINDOW.width, WINDOW.height],
    },
  });
}
