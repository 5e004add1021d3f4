// The installed package outside of Metro: what bundlers and Node make of it. Guarantees that an app pays for what it imports and
// for nothing else, that bundlers for the web and for servers need neither React Native nor a stand-in for it, nor know of files
// named `.web`, and that Node, which is as strict about file names as webpack, loads every entry.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../root.mjs';

/** The app's own. React Native is not among them: a bundle that asks for it fails. */
const EXTERNAL = ['react', 'react/jsx-runtime', 'sql.js'];

/** On phones only: React Native, and what is taken if it is there. */
const PHONE = ['react-native', '@react-native-community/netinfo', 'expo-network', 'expo-battery'];

/** `most`: minified bytes, about a third more than today. `without`: files of the package that have no business in there. */
const BUNDLES = [
  {
    code: "import { column, Schema, Table } from '@omnii/sync'; console.log(new Schema({ t: new Table({ a: column.text }) }));",
    most: 10_000,
    without: /^(hooks|live|jest)\/|^(database|session|provider\w*|global|supabase|credentials|status|connectivity|deviceModules.*|NativeOmniiSync.*|reactNative.*)\.js$/,
  },
  {
    code: "import { useQuery } from '@omnii/sync'; console.log(useQuery);",
    most: 10_000,
    without: /^(live|jest)\/|^hooks\/use(Sync|Suspense|Watched)|^(database|session|providerStore|global|supabase|credentials|schema\w*|NativeOmniiSync.*|reactNative.*)\.js$/,
  },
  { code: "import { SyncProvider } from '@omnii/sync'; console.log(SyncProvider);", most: 75_000, without: /^jest\/|^(supabase|global|NativeOmniiSync|deviceModules|reactNative)\.js$/ },
  // Imported for nothing but what they do.
  { code: "import '@omnii/sync/jest'; import '@omnii/sync/jest/react-native';", most: 100_000, without: /^live\//, with: ['jest/index.js', 'jest/react-native.js'] },
];

/** `app`: a folder that has the package installed. */
export async function checkBundles(app) {
  for (const { code, most, without, with: needed = [] } of BUNDLES) {
    const { kept, bytes } = await bundle(app, code, { conditions: ['browser'], platform: 'browser' });
    assert.deepEqual(kept.filter((name) => without.test(name)), [], code);
    for (const name of needed) assert.ok(kept.includes(name), `${name} is missing: ${code}`);
    assert.ok(bytes > 0 && bytes < most, `${bytes} bytes are not less than ${most}: ${code}`);
  }
  const all = "export * from '@omnii/sync'; export * as powersync from '@omnii/sync/powersync';";
  for (const [conditions, name] of [[['react-native'], 'NativeOmniiSync.js'], [['browser'], 'NativeOmniiSync.web.js'], [['node'], 'NativeOmniiSync.web.js']]) {
    const { kept } = await bundle(app, all, { conditions, platform: 'neutral', external: [...EXTERNAL, ...(conditions[0] === 'react-native' ? PHONE : [])] });
    assert.deepEqual(kept.filter((file) => file.startsWith('NativeOmniiSync')), [name], `for ${conditions}`);
  }
}

/** In plain Node, with React Native's Flow sources installed beside it, the package loads and says what it lacks. */
export function checkNode(app) {
  const code = `
    import assert from 'node:assert/strict';
    import { column, openDatabase, Schema, Table } from '@omnii/sync';
    import '@omnii/sync/powersync';
    const schema = new Schema({ t: new Table({ a: column.text }) });
    const connector = { fetchCredentials: () => Promise.resolve(null) };
    await assert.rejects(openDatabase({ schema, userId: 'u', connector }), { code: 'Unsupported' });`;
  node(app, ['--input-type=module', '-e', code]);
  // Where Node can't require ES modules it says so in its own words.
  node(app, ['-e', "try { require('@omnii/sync').Schema.name; } catch (error) { if (error.code !== 'ERR_REQUIRE_ESM') throw error; }"]);
}

/** The fake for unit tests as node:test and vitest have it: no transform, no alias, and SQLite by sql.js. */
export function checkFake(app) {
  const sqlite = join(app, 'node_modules/sql.js');
  if (!existsSync(sqlite)) symlinkSync(join(root, 'node_modules/sql.js'), sqlite);
  const code = `
    import assert from 'node:assert/strict';
    import { syncFake } from '@omnii/sync/jest';
    import { column, openDatabase, Schema, Table } from '@omnii/sync';
    const schema = new Schema({ todos: new Table({ title: column.text }) });
    const connector = { fetchCredentials: () => Promise.resolve({ endpoint: 'https://h', token: 't' }) };
    const db = await openDatabase({ schema, userId: 'u', connector });
    syncFake.deliver('todos', [{ id: 't1', title: 'Milk' }]);
    await db.triggerSync();
    assert.deepEqual(await db.getAll('SELECT title FROM todos'), [{ title: 'Milk' }]);
    await db.close();`;
  node(app, ['--import', '@omnii/sync/jest', '--input-type=module', '-e', code]);
}

function node(cwd, args) {
  const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

/** The files of the package of which something is left, and the size of it all. */
async function bundle(app, contents, options) {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: app, loader: 'js' },
    bundle: true,
    format: 'esm',
    minify: true,
    write: false,
    metafile: true,
    absWorkingDir: app,
    // No file is found by guessing: strict bundlers do not guess.
    resolveExtensions: ['.none'],
    external: EXTERNAL,
    logLevel: 'silent',
    ...options,
  });
  const [output] = Object.values(metafile.outputs);
  const kept = Object.entries(output.inputs).filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && path.includes('@omnii/sync/lib/module/'));
  return { kept: kept.map(([path]) => path.split('@omnii/sync/lib/module/')[1]), bytes: outputFiles[0].contents.length };
}
