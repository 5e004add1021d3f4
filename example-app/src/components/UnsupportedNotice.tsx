/** What the app says where the native module is missing: on the web, in Expo Go. */
import { Platform } from 'react-native';
import { Notice } from './layout';

export function UnsupportedNotice() {
  const where = Platform.OS === 'web' ? 'the web' : 'this build';
  return (
    <Notice
      tone="warning"
      title={`Local sync is not available on ${where}`}
      text="It needs the native module: run the app as a development build on Android or iOS. Nothing is stored here."
      testID="unsupported-notice"
    />
  );
}
