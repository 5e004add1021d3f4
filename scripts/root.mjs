// The folder that the scripts work in: this repository, or the installed package, which brings the scripts that build the engine.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
