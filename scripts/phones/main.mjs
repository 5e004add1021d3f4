// The outermost frame of the build scripts: an error that a person can do something about is one line, anything else a stack.

import { BuildError } from './requirements.mjs';

export function main(name, work) {
  try {
    work();
  } catch (error) {
    const expected = error instanceof BuildError || error.code?.startsWith('ERR_PARSE_ARGS');
    console.error(expected ? `${name}: ${error.message}` : error);
    process.exitCode = 1;
  }
}
