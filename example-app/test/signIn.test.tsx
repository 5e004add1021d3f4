import { fireEvent, render, screen, waitFor } from '@testing-library/react-native';
import SignInScreen from '../src/app/sign-in';
import { AuthProvider } from '../src/context/AuthContext';
import { ThemeProvider } from '../src/context/ThemeContext';

const mockSignIn = jest.fn();
jest.mock('../src/lib/supabase', () => ({
  followAppState: () => () => {},
  supabase: {
    auth: {
      onAuthStateChange: () => ({ data: { subscription: { unsubscribe() {} } } }),
      signInWithPassword: (credentials: object): unknown => mockSignIn(credentials),
    },
  },
}));

const renderScreen = () =>
  render(
    <AuthProvider>
      <ThemeProvider>
        <SignInScreen />
      </ThemeProvider>
    </AuthProvider>,
  );

beforeEach(() => mockSignIn.mockReset());

test('says what is missing', async () => {
  renderScreen();
  fireEvent.press(screen.getByTestId('sign-in-submit'));
  await waitFor(() => expect(screen.getByTestId('sign-in-error')).toHaveTextContent(/Enter your email address/));
  expect(mockSignIn).not.toHaveBeenCalled();
});

test('shows why it did not work, and lets the user try again', async () => {
  mockSignIn.mockResolvedValue({ error: { name: 'AuthApiError', message: 'Invalid login credentials' } });
  renderScreen();
  fireEvent.changeText(screen.getByTestId('sign-in-email'), ' ada@example.com ');
  fireEvent.changeText(screen.getByTestId('sign-in-password'), 'wrong');
  fireEvent.press(screen.getByTestId('sign-in-submit'));
  await waitFor(() => expect(screen.getByTestId('sign-in-error')).toHaveTextContent(/Invalid login credentials/));
  expect(mockSignIn).toHaveBeenCalledWith({ email: 'ada@example.com', password: 'wrong' });
  expect(screen.getByTestId('sign-in-submit')).not.toBeDisabled();
});

test('says that the server cannot be reached in words of its own', async () => {
  mockSignIn.mockResolvedValue({ error: { name: 'AuthRetryableFetchError', message: 'fetch failed' } });
  renderScreen();
  fireEvent.changeText(screen.getByTestId('sign-in-email'), 'ada@example.com');
  fireEvent.changeText(screen.getByTestId('sign-in-password'), 'right');
  fireEvent.press(screen.getByTestId('sign-in-submit'));
  await waitFor(() => expect(screen.getByTestId('sign-in-error')).toHaveTextContent(/cannot be reached/));
});
