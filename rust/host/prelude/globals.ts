/** Names of the global object that the packages of the prelude read while they are loaded; therefore imported first. */
import { define } from './native';
import { installEncoding } from './encoding';

define('self', globalThis);
define('global', globalThis);
define('window', globalThis);
installEncoding();
