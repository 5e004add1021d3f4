// Leaves the header of the bridge in cpp/bridge, where the phone builds look for it. Part of packing and of each phone build.
//
//   node scripts/phones/copy-bridge.mjs

import { join } from 'node:path';
import { root } from '../host/hermes.mjs';
import { copyBridge, ffiInclude } from './bridge.mjs';

copyBridge(ffiInclude(), join(root, 'cpp/bridge'));
