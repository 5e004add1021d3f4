/** `NativeAnimatedModule`: animations end after their time with their last value; nothing is drawn in between. */
import { emitter, provide } from './registry';

interface Config {
  frames?: number[];
  toValue?: number;
}
type End = (result: { finished: boolean; value?: number; offset?: number }) => void;

const FRAME_MS = 1000 / 60;
const OTHER_MS = 100;
const IGNORED = [
  'startOperationBatch',
  'finishOperationBatch',
  'createAnimatedNode',
  'updateAnimatedNodeConfig',
  'startListeningToAnimatedNodeValue',
  'stopListeningToAnimatedNodeValue',
  'connectAnimatedNodes',
  'disconnectAnimatedNodes',
  'setAnimatedNodeOffset',
  'flattenAnimatedNodeOffset',
  'extractAnimatedNodeOffset',
  'connectAnimatedNodeToView',
  'connectAnimatedNodeToShadowNodeFamily',
  'disconnectAnimatedNodeFromView',
  'restoreDefaultValues',
  'dropAnimatedNode',
  'addAnimatedEventToView',
  'removeAnimatedEventFromView',
];

export function installAnimated(): void {
  const running = new Map<number, { timer: ReturnType<typeof setTimeout>; end: End }>();
  const values = new Map<number, number>();
  provide({
    NativeAnimatedModule: {
      ...emitter,
      ...Object.fromEntries(IGNORED.map((name) => [name, () => {}])),
      startAnimatingNode: (id: number, node: number, { frames, toValue }: Config, end: End) => {
        const timer = setTimeout(
          () => {
            running.delete(id);
            const value = toValue ?? values.get(node) ?? 0;
            values.set(node, value);
            end({ finished: true, value, offset: 0 });
          },
          frames ? frames.length * FRAME_MS : OTHER_MS,
        );
        running.set(id, { timer, end });
      },
      stopAnimation: (id: number) => {
        const animation = running.get(id);
        if (!animation) return;
        running.delete(id);
        clearTimeout(animation.timer);
        animation.end({ finished: false });
      },
      getValue: (node: number, callback: (value: number) => void) => callback(values.get(node) ?? 0),
      setAnimatedNodeValue: (node: number, value: number) => void values.set(node, value),
    },
  });
}
