import { syncFake } from '@omnii/sync/jest';
import { configure } from '@testing-library/react-native';

// What is waited for comes when it comes: a busy machine is no failure.
configure({ asyncUtilTimeout: 15_000 });

afterEach(() => syncFake.reset());
