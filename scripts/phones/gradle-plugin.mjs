// Does what two tasks of React Native's Gradle plugin do, without Gradle: the C++ and CMake files that link libraries into an
// Android app. The frames of the files are read from the plugin's own Kotlin source; what goes into their gaps is written
// anew here, after GenerateAutolinkingNewArchitecturesFileTask.kt of 0.86.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../host/hermes.mjs';

const TASK =
  'node_modules/@react-native/gradle-plugin/react-native-gradle-plugin/src/main/kotlin/com/facebook/react/tasks/GenerateAutolinkingNewArchitecturesFileTask.kt';

/** Writes Android-autolinking.cmake, autolinking.h and autolinking.cpp for these `dependencies[…].platforms.android`. */
export function writeAutolinking(packages, out) {
  const kotlin = readFileSync(join(root, TASK), 'utf8');
  const named = packages.filter(({ libraryName }) => libraryName);
  const cxx = named.filter(({ cxxModuleHeaderName }) => cxxModuleHeaderName);
  const folder = (path) => path.replace('CMakeLists.txt', '').replaceAll(' ', '\\ ');
  mkdirSync(out, { recursive: true });
  writeFileSync(
    join(out, 'Android-autolinking.cmake'),
    fill(frame(kotlin, 'CMAKE_TEMPLATE'), {
      libraryIncludes: packages.flatMap((p) => [
        p.libraryName && p.cmakeListsPath ? `add_subdirectory("${folder(p.cmakeListsPath)}" ${p.libraryName}_autolinked_build)` : '',
        p.cxxModuleCMakeListsPath
          ? `add_subdirectory("${folder(p.cxxModuleCMakeListsPath)}" ${p.libraryName}_cxxmodule_autolinked_build)`
          : '',
      ]),
      libraryModules: packages.flatMap((p) => [
        p.libraryName ? `react_codegen_${p.libraryName}` : '',
        p.cxxModuleCMakeListsModuleName ?? '',
      ]),
    })
  );
  writeFileSync(
    join(out, 'autolinking.cpp'),
    fill(frame(kotlin, 'CPP_TEMPLATE'), {
      autolinkingCppIncludes: named.flatMap((p) => [
        `#include <${p.libraryName}.h>`,
        p.cxxModuleHeaderName ? `#include <${p.cxxModuleHeaderName}.h>` : '',
      ]),
      autolinkingCppTurboModuleJavaProviders: named.map(
        ({ libraryName: name }) =>
          `auto module_${name} = ${name}_ModuleProvider(moduleName, params);\nif (module_${name} != nullptr) {\nreturn module_${name};\n}`
      ),
      autolinkingCppTurboModuleCxxProviders: cxx.map(
        ({ cxxModuleHeaderName: name }) =>
          `if (moduleName == ${name}::kModuleName) {\nreturn std::make_shared<${name}>(jsInvoker);\n}`
      ),
      autolinkingCppComponentDescriptors: [],
    })
  );
  writeFileSync(join(out, 'autolinking.h'), frame(kotlin, 'hTemplate'));
}

/**
 * The codegen of a library, as the plugin runs it when the app is built; what the package.json of the library says goes. One
 * difference: the plugin also asks for components, and gets files that include all of the renderer and contain nothing.
 */
export function writeCodegen(libraryRoot, out) {
  const { codegenConfig } = JSON.parse(readFileSync(join(libraryRoot, 'package.json'), 'utf8'));
  const schema = join(out, 'schema.json');
  mkdirSync(out, { recursive: true });
  node('node_modules/@react-native/codegen/lib/cli/combine/combine-js-to-schema-cli.js', [
    '--platform', 'android', '--exclude', 'NativeSampleTurboModule', schema, join(libraryRoot, codegenConfig.jsSrcsDir),
  ]);
  node('node_modules/react-native/scripts/generate-specs-cli.js', [
    '--platform', 'android', '--schemaPath', schema, '--outputDir', out,
    '--libraryType', 'modules', '--libraryName', codegenConfig.name, '--javaPackageName', codegenConfig.android.javaPackageName,
  ]);
}

function frame(kotlin, name) {
  const text = new RegExp(`val ${name} =\\s+"""\\n([\\s\\S]*?)"""`).exec(kotlin)?.[1];
  if (!text) throw new Error(`the Gradle plugin of React Native has no ${name} any more: see ${TASK}`);
  return text.replace(/^ {8}/gm, '');
}

function fill(text, values) {
  const filled = Object.entries(values).reduce((all, [name, lines]) => {
    const gap = `{{ ${name} }}`;
    if (!all.includes(gap)) throw new Error(`the Gradle plugin of React Native knows no ${gap} any more: see ${TASK}`);
    return all.replace(gap, () => lines.filter(Boolean).join('\n'));
  }, text);
  const left = /\{\{ \w+ \}\}/.exec(filled);
  if (left) throw new Error(`the Gradle plugin of React Native has ${left[0]}, which is not known here: see ${TASK}`);
  return filled;
}

function node(script, args) {
  execFileSync(process.execPath, [join(root, script), ...args], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}
