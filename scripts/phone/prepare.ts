/** Exports and compiles the app before the first flow, so that no flow's time counts it. */
import { appUnderTest } from './index';

appUnderTest();
