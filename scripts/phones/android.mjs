// What Android's own tools read of android/, without them. The manifest is read by a real XML parser, in `npm test`. Gradle's
// script is run by Groovy and the Java classes are compiled, against stand-ins, in `npm run check:phones`, because that takes a
// JDK: the Debian packages openjdk-17-jdk-headless and groovy. What is missing there fails, and is not skipped.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../root.mjs';

/** Debian packages that `checkJavaAndGradle` needs. */
export const JAVA_PACKAGES = ['openjdk-17-jdk-headless', 'groovy'];

const MANIFEST = join(root, 'android/src/main/AndroidManifest.xml');
const JAVA = join(root, 'android/src/main/java');
const STAND_IN = join(root, 'scripts/phones/stand-in');
export const GROOVY = '/usr/share/java/groovy-all.jar';
const REACT = join(root, 'node_modules/react-native/ReactAndroid/src/main/java/com/facebook/react');

/** Prints an XML file as [name, attributes, children], with the namespace of Android's attributes as `android:`. */
const READ_XML = `
import json, sys, xml.etree.ElementTree as tree
android = '{http://schemas.android.com/apk/res/android}'
def plain(node):
    return [node.tag, {k.replace(android, 'android:'): v for k, v in node.attrib.items()}, [plain(c) for c in node]]
print(json.dumps(plain(tree.parse(sys.argv[1]).getroot())))
`;

/** @param {(name: string, body: () => void) => Promise<void>} check */
export async function checkManifest(check) {
  await check('Android: the manifest is XML, and names a class of ours', () => {
    const [name, attributes, children] = JSON.parse(tool('python3', ['-c', READ_XML, MANIFEST]));
    assert.equal(name, 'manifest');
    // The package is the namespace in build.gradle; the Android plugin refuses one here.
    assert.deepEqual(attributes, {});
    const all = (of, tag) => of.filter(([child]) => child === tag);
    const permissions = all(children, 'uses-permission').map(([, { 'android:name': permission }]) => permission);
    assert.deepEqual(permissions, ['android.permission.INTERNET'], 'other permissions than those that are needed');
    const applications = all(children, 'application');
    assert.equal(applications.length, 1);
    const [, , parts] = applications[0];
    assert.equal(children.length, 2, 'something of the manifest is not known here');
    assert.deepEqual(parts.map(([part]) => part), ['provider'], 'something of the application is not known here');
    const [, provider] = parts[0];
    const source = join(JAVA, `${provider['android:name'].replaceAll('.', '/')}.java`);
    assert.ok(existsSync(source), `the manifest names ${provider['android:name']}, which is no class`);
    assert.match(readFileSync(source, 'utf8'), /^public final class OmniiSyncDirectory extends ContentProvider \{$/m);
    // Two apps on a phone may not have the same.
    assert.ok(provider['android:authorities'].startsWith('${applicationId}.'), 'its authority is not that of the app');
    assert.equal(provider['android:exported'], 'false');
    const known = ['android:name', 'android:authorities', 'android:exported'];
    assert.deepEqual(Object.keys(provider).filter((attribute) => !known.includes(attribute)), [], 'attributes that are not known here');
  });
}

/**
 * @param {(name: string, body: () => void) => Promise<void>} check
 * @param {string} work a folder for what this makes
 */
export async function checkJavaAndGradle(check, work) {
  await check('Android: the Java classes compile against stand-ins of those they use', () => {
    const stands = sources(join(STAND_IN, 'java'));
    const ours = sources(JAVA);
    assert.ok(ours.length > 0);
    tool('javac', ['-Xlint:all,-serial', '-Werror', '--release', '17', '-d', join(work, 'java'), ...stands, ...ours]);
    // React Native's class is Kotlin; what our stand-in for it demands is what that one demands.
    const kotlin = readFileSync(join(REACT, 'BaseReactPackage.kt'), 'utf8');
    const demanded = [...kotlin.matchAll(/^ {2}(?:public )?abstract (?:override )?fun (\w+)\(/gm)].map(([, name]) => name);
    const standIn = readFileSync(join(STAND_IN, 'java/com/facebook/react/BaseReactPackage.java'), 'utf8');
    assert.deepEqual(demanded, [...standIn.matchAll(/ (\w+)\(.*\);$/gm)].map(([, name]) => name));
  });
  await check('Android: build.gradle runs, on stand-ins for Gradle and the Android plugin', () => {
    const none = gradle(work);
    assert.deepEqual(none, {
      namespace: 'dev.omnii.sync',
      ...reactNativesOwn(),
      java: ['VERSION_17', 'VERSION_17'],
      applied: ['com.android.library', 'com.facebook.react'],
      implementations: ['com.facebook.react:react-android'],
    });
    const { compileSdk, minSdk } = gradle(work, ['compileSdkVersion=37', 'minSdkVersion=29']);
    assert.deepEqual({ compileSdk, minSdk }, { compileSdk: 37, minSdk: 29 }, 'the app’s versions are not taken');
    assert.ok(sources(JAVA).every((file) => file.startsWith(join(JAVA, none.namespace.replaceAll('.', '/')))), 'classes outside of the namespace');
  });
  await check('Android: build.gradle cannot misspell anything', () => {
    const text = readFileSync(join(root, 'android/build.gradle'), 'utf8');
    for (const [right, wrong] of [['minSdk =', 'minSdkk ='], ['compileOptions', 'compileOption'], ['VERSION_17', 'VERSION_1_7'], ['implementation ', 'implement ']]) {
      assert.ok(text.includes(right), `build.gradle has no ${right} any more: break something else`);
      const { status, stderr } = groovy(work, [], text.replace(right, wrong));
      assert.notEqual(status, 0, `${wrong} is taken`);
      assert.match(stderr, new RegExp(`Missing(Property|Method)Exception: .*\\b${wrong.split(' ')[0]}\\b`));
    }
  });
}

/** Of a project that says nothing: the versions that React Native itself is built with. */
function reactNativesOwn() {
  const versions = readFileSync(join(root, 'node_modules/react-native/gradle/libs.versions.toml'), 'utf8');
  const read = (name) => Number(new RegExp(`^${name} = "(\\d+)"$`, 'm').exec(versions)?.[1]);
  const api = /^const API = (\d+);$/m.exec(readFileSync(join(root, 'scripts/phones/build-android.mjs'), 'utf8'))?.[1];
  assert.equal(Number(api), read('minSdk'), 'the engine is built for another version of Android');
  return { compileSdk: read('compileSdk'), minSdk: read('minSdk') };
}

function gradle(work, versions = []) {
  const { status, stdout, stderr } = groovy(work, versions, readFileSync(join(root, 'android/build.gradle'), 'utf8'));
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

/** Not the command `groovy`, which looks for Java where Debian's default one would be. */
function groovy(work, versions, text) {
  assert.ok(existsSync(GROOVY), `Groovy is missing: apt-get install ${JAVA_PACKAGES.join(' ')}`);
  const script = join(work, 'build.gradle');
  writeFileSync(script, text);
  const args = ['-cp', GROOVY, 'groovy.ui.GroovyMain', join(STAND_IN, 'gradle/EvaluateBuild.groovy'), script, ...versions];
  const done = spawnSync('java', args, { encoding: 'utf8' });
  if (done.error) throw done.error;
  return done;
}

function sources(folder) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.java'));
  return names.map((name) => join(folder, name));
}

function tool(command, args) {
  return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
