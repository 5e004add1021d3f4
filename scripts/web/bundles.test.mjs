// What an app ships: the package, and neither the fake for unit tests nor the SQLite that it runs on.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportAndroid, exportWeb } from './app.mjs';

/** Sources of the package that no app may ship, and one that each must. */
const FAKE = /\/(?:js|lib\/\w+)\/jest\//;
const SQLITE = /\/node_modules\/sql\.js\//;
const PROVIDER = /\/(?:js|lib\/\w+)\/provider\.[jt]s$/;

/** Text that minifying keeps. */
const TEXT_OF_THE_FAKE = 'refused by the test';
const TEXT_OF_SQLITE = 'sql-wasm';
const TEXT_OF_THE_PACKAGE = 'the native module OmniiSync is not in this app';

for (const [platform, exportIt] of [['web', exportWeb], ['Android', exportAndroid]]) {
  test(`the production export for ${platform} holds the package, and neither its fake nor sql.js`, async () => {
    const folder = await exportIt();
    const names = readdirSync(folder, { recursive: true });
    const sources = names
      .filter((name) => name.endsWith('.map'))
      .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).sources);
    assert.ok(sources.some((source) => PROVIDER.test(source)), 'no source is known as the package’s: has its folder been renamed?');
    assert.deepEqual(sources.filter((source) => FAKE.test(source) || SQLITE.test(source)), []);

    const code = names.filter((name) => name.endsWith('.js')).map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
    assert.ok(code.includes(TEXT_OF_THE_PACKAGE));
    assert.ok(!code.includes(TEXT_OF_THE_FAKE));
    assert.ok(!code.includes(TEXT_OF_SQLITE));
    assert.deepEqual(names.filter((name) => name.endsWith('.wasm')), []);
  });
}
