import { syncFake } from '@omnii/sync/jest';

afterEach(() => syncFake.reset());
