// An app without React, for the tests of the phone itself: it draws with Fabric's own functions and notes what it is told.
const fabric = nativeFabricUIManager;
const events = [];
let tag = 1;

globalThis.noted = events;

function node(name, props, children = []) {
  const made = fabric.createNode((tag += 2), name, 11, props, { name, testID: props.testID });
  for (const child of children) fabric.appendChild(made, child);
  return made;
}

const text = (value, props = {}) => node('RCTText', props, [node('RCTRawText', { text: value })]);

function draw(children) {
  const set = fabric.createChildSet(11);
  for (const child of children) fabric.appendChildToSet(set, child);
  fabric.completeRoot(11, set);
}

globalThis.draw = draw;
globalThis.node = node;
globalThis.text = text;

const rows = Array.from({ length: 100 }, (_, i) => text(`Row ${i}`, { height: 40 }));

globalThis.RN$AppRegistry = {
  getAppKeys: () => ['main'],
  runApplication() {
    fabric.registerEventHandler((handle, type, payload) => events.push({ on: handle.testID ?? handle.name, type, payload }));
    draw([
      node('RNSScreenStack', { flex: 1 }, [
        node('RNSScreen', { position: 'absolute', top: 0, left: 0, right: 0, bottom: 0 }, [text('Below')]),
        node('RNSScreen', { position: 'absolute', top: 0, left: 0, right: 0, bottom: 0 }, [
          text('Hello'),
          text('Twice'),
          text('Twice'),
          node('RCTView', { testID: 'button', accessibilityLabel: 'Press me', width: 100, height: 50 }, [text('Press')]),
          node('RCTView', { testID: 'disabled', accessibilityState: { disabled: true }, width: 100, height: 50 }),
          node('AndroidTextInput', { testID: 'input', placeholder: 'Your name' }),
          node('RCTScrollView', { testID: 'list', height: 200 }, [node('RCTView', {}, rows)]),
          node('RCTView', { display: 'none' }, [text('Hidden')]),
        ]),
      ]),
    ]);
  },
};
