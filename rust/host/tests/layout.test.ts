/** Frames by Yoga, as the headless phone asks for them (`rust/host/cpp/Layout.cpp`). */
import { assert, test } from '../../../scripts/host/harness';

type Frame = [x: number, y: number, width: number, height: number];
interface Box {
  style: object;
  text?: object;
  children?: Box[];
}

let tag = 0;

/** Builds a tree; answers its tags in the order of the tree, the root first. */
function build({ style, text, children = [] }: Box): number[] {
  const own = ++tag;
  __layout.create(own);
  __layout.style(own, style);
  if (text) __layout.text(own, text);
  const built = children.map(build);
  __layout.children(own, built.map((tags) => tags[0] as number));
  return [own, ...built.flat()];
}

/** The frames that changed, by tag. */
function calculate(root: number, width = 300, height = 600): Map<number, Frame> {
  const numbers = new Float64Array(__layout.calculate(root, width, height));
  const frames = new Map<number, Frame>();
  for (let i = 0; i < numbers.length; i += 5) frames.set(numbers[i] as number, [...numbers.subarray(i + 1, i + 5)] as Frame);
  return frames;
}

/** The frames of all boxes, in the order of the tree. */
function frames(box: Box): (Frame | undefined)[] {
  const tags = build(box);
  const found = calculate(tags[0] as number);
  return tags.map((name) => found.get(name));
}

function throws(work: () => void, message: RegExp): void {
  try {
    work();
  } catch (error) {
    assert.ok(message.test((error as Error).message), (error as Error).message);
    return;
  }
  assert.ok(false, 'nothing was thrown');
}

test('boxes stand in a column, share what is left, and shrink only if told to', () => {
  const found = frames({
    style: { padding: 10, gap: 5 },
    children: [{ style: { height: 40 } }, { style: { flex: 1 } }, { style: { height: '10%', alignSelf: 'flex-end', width: 50 } }],
  });
  assert.deepEqual(found, [[0, 0, 300, 600], [10, 10, 280, 40], [10, 55, 280, 472], [240, 532, 50, 58]]);
});

test('rows, margins of all kinds, and absolute boxes', () => {
  const found = frames({
    style: { flexDirection: 'row', justifyContent: 'space-between', alignItems: 'center' },
    children: [
      { style: { width: 20, height: 20, marginHorizontal: 7 } },
      { style: { width: 20, height: 20, marginTop: 'auto', marginInlineEnd: 3 } },
      { style: { position: 'absolute', inset: 0, borderWidth: 2 }, children: [{ style: { flex: 1 } }] },
    ],
  });
  assert.deepEqual(found, [[0, 0, 300, 600], [7, 290, 20, 20], [277, 580, 20, 20], [0, 0, 300, 600], [2, 2, 296, 596]]);
});

test('what a style does not say is as if it had never been said; what it should not say is left out', () => {
  const [root, child] = build({ style: {}, children: [{ style: { width: 10, height: 10, marginLeft: 5 } }] }) as [number, number];
  assert.deepEqual(calculate(root).get(child), [5, 0, 10, 10]);
  __layout.style(child, { height: 20, width: 'wide', color: 0xff, flexDirection: 'sideways', onPress: true, margin: Infinity });
  assert.deepEqual(calculate(root).get(child), [0, 0, 300, 20]);
});

test('text wraps at words, in as many lines as it may', () => {
  const text = { text: 'the quick brown fox jumps over the lazy dog', fontSize: 20 };
  const height = (width: number, more: object = {}): number =>
    (frames({ style: {}, children: [{ style: { width }, text: { ...text, ...more } }] })[1] as Frame)[3];
  assert.equal(height(1000), 24);
  assert.equal(height(290), 48);
  assert.ok(height(100) >= 4 * 24, String(height(100)));
  assert.equal(height(100, { numberOfLines: 1 }), 24);
  assert.equal(height(100, { numberOfLines: 2, lineHeight: 30 }), 60);
  assert.equal(height(10, { text: 'nodelimiters' }) > 24, true, 'a word longer than a line is broken');
  assert.equal(height(290, { text: 'a\nb\nc' }), 72);
});

test('what scrolls is as large as it is, in a view that is not', () => {
  const found = frames({
    style: {},
    children: [{ style: { height: 100, overflow: 'scroll' }, children: [{ style: {}, children: [{ style: { height: 400 } }, { style: { height: 400 } }] }] }],
  });
  assert.deepEqual(found.slice(1, 3), [[0, 0, 300, 100], [0, 0, 300, 800]]);
});

test('what cannot have changed is not told', () => {
  const [root, first, second] = build({ style: {}, children: [{ style: { height: 10 } }, { style: { height: 10 } }] }) as [number, number, number];
  assert.equal(calculate(root).size, 3);
  assert.deepEqual([...calculate(root).keys()].filter((tag) => tag !== root), []);
  __layout.style(first, { height: 30 });
  assert.deepEqual(calculate(root).get(second), [0, 30, 300, 10]);
});

test('children move from one parent to another, and go', () => {
  const [root, left, right, moved] = build({ style: {}, children: [{ style: {} }, { style: {}, children: [{ style: { height: 10 } }] }] }) as [number, number, number, number];
  calculate(root);
  __layout.children(left, [moved]);
  const found = calculate(root);
  assert.deepEqual([found.get(left), found.get(right)?.[3]], [[0, 0, 300, 10], 0]);
  __layout.remove(moved);
  __layout.remove(moved);
  assert.deepEqual(calculate(root).get(left), [0, 0, 300, 0]);
});

test('misuse is an error that names the function and the node', () => {
  const [root, child] = build({ style: {}, children: [{ style: {} }] }) as [number, number];
  throws(() => __layout.style(-7, {}), /__layout\.style: there is no node -7/);
  throws(() => __layout.children(root, [-8]), /__layout\.children: there is no node -8/);
  throws(() => __layout.children(child, [root]), /__layout\.children: \d+ would be within itself/);
  throws(() => __layout.calculate(-9, 1, 1), /there is no node -9/);
  throws(() => (__layout.create as () => void)(), /__layout\.create: too few arguments/);
});

test('two thousand boxes are no matter', () => {
  const rows = Array.from({ length: 500 }, () => ({ style: { flexDirection: 'row' }, children: [{ style: { flex: 1, height: 10 } }, { style: { flex: 1 } }, { style: { flex: 2 } }] }));
  const found = frames({ style: { overflow: 'scroll' }, children: rows });
  assert.equal(found.length, 2001);
  assert.ok(found.every((frame) => frame !== undefined));
});
