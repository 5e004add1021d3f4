/** The phone itself, with an app that draws by Fabric's own functions: what a flow may rely on. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { appUnderTest, CrashError, Phone } from '@omnii/phone';

const app = appUnderTest();
const SHORT = { timeoutMs: 300 };

interface Noted {
  on: string;
  type: string;
  payload: Record<string, unknown>;
}

const noted = (phone: Phone): Promise<Noted[]> => phone.evaluate('noted.splice(0)');
const types = (events: Noted[]): string[] => events.map(({ on, type }) => `${on} ${type}`);

async function withPhone(body: (phone: Phone) => Promise<void>, options: { server?: string } = {}): Promise<void> {
  const phone = await Phone.start({ app, ...options });
  try {
    await body(phone);
  } finally {
    await phone.close();
  }
}

describe('finding', () => {
  test('by text, label and test id, and only what is shown', () =>
    withPhone(async (phone) => {
      assert.equal(await phone.getByText('Hello').count(), 1);
      assert.equal(await phone.getByText(/^hel/i).count(), 1);
      assert.equal((await phone.getByLabel('Press me').waitFor()).testId, 'button');
      assert.equal(await phone.getByTestId('button').text(), 'Press');
      assert.equal(await phone.getByText('Below').count(), 0, 'a screen below another');
      assert.equal(await phone.getByText('Hidden').count(), 0, 'display none');
    }));

  test('what is not there, or there twice, is told with the screen', () =>
    withPhone(async (phone) => {
      await assert.rejects(phone.getByText('Nobody').waitFor(SHORT), /nothing with text "Nobody" within 300 ms[^]*Hello/);
      await assert.rejects(phone.getByText('Twice').press(SHORT), /2 with text "Twice", name one by its index/);
      assert.equal((await phone.getByText('Twice').nth(1).waitFor()).text, 'Twice');
    }));

  test('waits for what comes and what goes', () =>
    withPhone(async (phone) => {
      await phone.evaluate(`setTimeout(() => draw([text('Later')]), 200); undefined`);
      await phone.getByText('Later').waitFor();
      await phone.getByText('Hello').waitForGone();
    }));

  test('has frames in points, and a picture of the texts', () =>
    withPhone(async (phone) => {
      const { frame } = await phone.getByTestId('button').waitFor();
      assert.deepEqual([frame.x, frame.width, frame.height], [0, 100, 50]);
      assert.ok(frame.y > 0);
      assert.match(await phone.screenshotText(), /\|Hello +\|/);
      assert.match(await phone.tree(), /RCTView testID="button" accessibilityLabel="Press me" \(0,\d+ 100x50\)/);
    }));
});

describe('fingers and keys', () => {
  test('a press is a touch in the middle', () =>
    withPhone(async (phone) => {
      const { frame } = await phone.getByTestId('button').waitFor();
      await noted(phone);
      await phone.getByTestId('button').press();
      const events = await noted(phone);
      assert.deepEqual(types(events), ['button topTouchStart', 'button topTouchEnd']);
      assert.deepEqual([events[0]?.payload['pageX'], events[0]?.payload['pageY']], [50, frame.y + 25]);
    }));

  test('what is disabled is not pressed', () =>
    withPhone(async (phone) => {
      await assert.rejects(phone.getByTestId('disabled').press(SHORT), /stayed disabled for 300 ms/);
    }));

  test('typing replaces the text and focuses', () =>
    withPhone(async (phone) => {
      await phone.getByTestId('input').type('Ada');
      await phone.getByTestId('input').submit();
      assert.equal(await phone.getByTestId('input').text(), 'Ada');
      const events = (await noted(phone)).filter(({ on }) => on === 'input');
      assert.deepEqual(types(events), ['topFocus', 'topChange', 'topSubmitEditing', 'topEndEditing', 'topBlur'].map((type) => `input ${type}`));
      assert.equal(events[1]?.payload['text'], 'Ada');
      await assert.rejects(phone.getByTestId('button').type('Ada'), /RCTView is no text input/);
    }));

  test('scrolling stays within the content, and brings what is pressed into the window', () =>
    withPhone(async (phone) => {
      assert.deepEqual(await phone.getByTestId('list').scroll('end'), { x: 0, y: 100 * 40 - 200 });
      assert.equal((await phone.getByText('Row 0').waitFor()).inWindow, false);
      await phone.getByText('Row 0').press();
      assert.equal((await phone.getByText('Row 0').waitFor()).inWindow, true);
      assert.deepEqual(await phone.getByTestId('list').scroll(-50), { x: 0, y: 0 });
    }));
});

describe('life', () => {
  test('an error nobody caught ends the app, and names the modules that were missing', () =>
    withPhone(async (phone) => {
      await phone.evaluate(`nativeModuleProxy.NoSuchModule; setTimeout(() => { throw new TypeError('boom') }, 0); undefined`);
      await assert.rejects(phone.getByText('Nobody').waitFor(), (error: Error) => {
        assert.ok(error instanceof CrashError);
        assert.match(error.message, /the app crashed: TypeError: boom[^]*native module NoSuchModule, asked for by/);
        return true;
      });
      await phone.restart();
      assert.equal(await phone.getByText('Hello').count(), 1);
    }));

  test('a rejection nobody handles is a problem, and no crash', () =>
    withPhone(async (phone) => {
      await phone.evaluate(`Promise.reject(new Error('forgotten')); undefined`);
      await phone.waitFor(async () => phone.problems.length > 0, 'the rejection to be told');
      assert.match(phone.problems.join(), /Unhandled promise rejection: Error: forgotten/);
    }));

  test('storage outlives being killed', () =>
    withPhone(async (phone) => {
      await phone.evaluate(`nativeModuleProxy.RNCAsyncStorage.multiSet([['key', 'välue']], () => {}); undefined`);
      await phone.kill();
      await assert.rejects(phone.getByText('Hello').waitFor(), CrashError);
      await phone.restart();
      const value = await phone.evaluate(`let got; nativeModuleProxy.RNCAsyncStorage.multiGet(['key'], (e, r) => (got = r)); got`);
      assert.deepEqual(value, [['key', 'välue']]);
    }));

  test('a reload is a new runtime: nothing of the old one goes on', () =>
    withPhone(async (phone) => {
      await phone.evaluate(`globalThis.mark = 1; setInterval(() => console.log('old'), 5); undefined`);
      await phone.reload();
      assert.equal(await phone.evaluate('typeof mark'), 'undefined');
      const before = phone.log.length;
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(phone.log.length, before);
      assert.equal(await phone.getByText('Hello').count(), 1);
    }));

  test('time can be advanced: timers fire in their order, intervals as often as they would', () =>
    withPhone(async (phone) => {
      await phone.evaluate(`
        globalThis.fired = [];
        globalThis.begun = Date.now();
        setTimeout(() => fired.push('minute'), 60000);
        setTimeout(() => { fired.push('second'); setTimeout(() => fired.push('another'), 1000); }, 1000);
        const beat = setInterval(() => { fired.push('beat'); if (fired.filter((name) => name === 'beat').length === 3) clearInterval(beat); }, 10000);
        undefined`);
      await phone.advance(61_000);
      assert.deepEqual(await phone.evaluate('fired'), ['second', 'another', 'beat', 'beat', 'beat', 'minute']);
      assert.ok((await phone.evaluate<number>('Date.now() - begun')) >= 61_000);
    }));
});

describe('the network', () => {
  let server: Server;
  let url = '';

  before(async () => {
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => response.end(`${request.method ?? ''} ${Buffer.concat(parts).toString('utf8')}`));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  });
  after(() => void server.close());

  /** What React Native's XMLHttpRequest does. */
  const post = (phone: Phone, id: number): Promise<unknown> =>
    phone.evaluate(`
      const { extra } = JSON.parse(expo.modules.ExponentConstants.manifest);
      nativeModuleProxy.Networking.sendRequest('POST', extra.mcpBaseUrl + '/x', ${id}, [], { string: 'grüße' }, 'text', false, 0, false);
      undefined`);

  test('requests go out, fail without a network, and go out again', () =>
    withPhone(
      async (phone) => {
        await phone.evaluate(`
          globalThis.answers = [];
          RN$registerCallableModule('RCTDeviceEventEmitter', () => ({ emit: (name, body) => answers.push([name, ...body]) }));
          undefined`);
        const answers = (): Promise<[string, number, unknown][]> => phone.evaluate('answers');
        const completed = (id: number): Promise<void> =>
          phone.waitFor(async () => (await answers()).some(([name, of]) => name === 'didCompleteNetworkResponse' && of === id), `request ${id} to end`);
        await post(phone, 1);
        await completed(1);
        assert.deepEqual((await answers()).find(([name]) => name === 'didReceiveNetworkData'), ['didReceiveNetworkData', 1, 'POST grüße']);
        await phone.setOnline(false);
        await post(phone, 2);
        await completed(2);
        const failed = (await answers()).find(([name, id]) => name === 'didCompleteNetworkResponse' && id === 2);
        assert.notEqual(failed?.[2], '');
        await phone.setOnline(true);
        await post(phone, 3);
        await completed(3);
        assert.deepEqual((await answers()).at(-1), ['didCompleteNetworkResponse', 3, '', false]);
      },
      { server: url },
    ));
});
