// Leaves the headers of the bridge in cpp/bridge, for the package. Part of packing.
//
//   node scripts/phones/copy-bridge.mjs

import { join } from 'node:path';
import { root } from '../root.mjs';
import { copyBridge } from './bridge.mjs';
import { ffiInclude } from './host-bridge.mjs';

copyBridge(ffiInclude(), join(root, 'cpp/bridge'));
