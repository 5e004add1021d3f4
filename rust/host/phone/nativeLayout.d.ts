/** Yoga, as the host has it (`rust/host/cpp/Layout.cpp`). A node is named by the tag of its Fabric family. */
interface NativeLayout {
  create(tag: number): void;
  /** Fine if there is none. */
  remove(tag: number): void;
  /** Replaces the node's style by the layout part of these props. */
  style(tag: number, props: object): void;
  /** Makes the node a leaf that is as large as a text, or no leaf again. */
  text(tag: number, spec: object | null): void;
  /** Replaces the children, in order. */
  children(tag: number, tags: number[]): void;
  /** Lays out; doubles `tag, x, y, width, height` for each node that may have another frame than before. */
  calculate(root: number, width: number, height: number): ArrayBuffer;
}

declare const __layout: NativeLayout;
