// React itself, with a real renderer: effects, state, context, suspense and external stores on Hermes.
import { StrictMode, Suspense, use, useEffect, useState, useSyncExternalStore } from 'react';
import { act, create, type ReactTestRenderer } from 'react-test-renderer';
import { assert, cleanup, sleep, test } from '../../../scripts/host/harness';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

async function render(element: React.ReactElement): Promise<ReactTestRenderer> {
  let renderer: ReactTestRenderer | undefined;
  await act(async () => {
    renderer = create(element);
  });
  cleanup(() => act(async () => renderer?.unmount()));
  return renderer as ReactTestRenderer;
}

test('state and effects, with clean-up', async () => {
  const log: string[] = [];
  function Clock({ step }: { step: number }) {
    const [ticks, setTicks] = useState(0);
    useEffect(() => {
      log.push(`start ${step}`);
      const timer = setInterval(() => setTicks((count) => count + step), 5);
      return () => {
        clearInterval(timer);
        log.push(`stop ${step}`);
      };
    }, [step]);
    return <>{`ticks: ${ticks > 0}`}</>;
  }
  const renderer = await render(<Clock step={1} />);
  assert.equal(renderer.toJSON(), 'ticks: false');
  await act(async () => sleep(30));
  assert.equal(renderer.toJSON(), 'ticks: true');
  await act(async () => renderer.update(<Clock step={2} />));
  await act(async () => renderer.unmount());
  assert.deepEqual(log, ['start 1', 'stop 1', 'start 2', 'stop 2']);
});

test('an external store under StrictMode', async () => {
  let value = 1;
  const listeners = new Set<() => void>();
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  function Value() {
    return <>{String(useSyncExternalStore(subscribe, () => value))}</>;
  }
  const renderer = await render(
    <StrictMode>
      <Value />
    </StrictMode>,
  );
  assert.equal(listeners.size, 1);
  await act(async () => {
    value = 2;
    for (const listener of listeners) listener();
  });
  assert.equal(renderer.toJSON(), '2');
  await act(async () => renderer.unmount());
  assert.equal(listeners.size, 0);
});

test('suspense and `use`', async () => {
  const promise = sleep(10).then(() => 'loaded');
  function Loaded() {
    return <>{use(promise)}</>;
  }
  const renderer = await render(
    <Suspense fallback="waiting">
      <Loaded />
    </Suspense>,
  );
  assert.equal(renderer.toJSON(), 'waiting');
  await act(async () => sleep(20));
  assert.equal(renderer.toJSON(), 'loaded');
});

test('without act the scheduler renders by itself', async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: false });
  cleanup(() => void Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true }));
  let set: (value: string) => void = () => {};
  function Text() {
    const [text, setText] = useState('before');
    set = setText;
    return <>{text}</>;
  }
  const renderer = create(<Text />);
  await sleep(20);
  assert.equal(renderer.toJSON(), 'before');
  set('after');
  await sleep(20);
  assert.equal(renderer.toJSON(), 'after');
});
