/** Colours, spacing and type of the app. Contrast of text on its surface is at least 4.5:1 in both schemes. */

export interface Palette {
  background: string;
  surface: string;
  sunken: string;
  border: string;
  text: string;
  muted: string;
  accent: string;
  onAccent: string;
  accentSoft: string;
  success: string;
  warning: string;
  danger: string;
  dangerSoft: string;
}

export const palettes: Record<'light' | 'dark', Palette> = {
  light: {
    background: '#F5F6F8',
    surface: '#FFFFFF',
    sunken: '#ECEEF2',
    border: '#DDE1E8',
    text: '#14171F',
    muted: '#596273',
    accent: '#4338CA',
    onAccent: '#FFFFFF',
    accentSoft: '#E9E7FD',
    success: '#0B6B4B',
    warning: '#8F4A00',
    danger: '#B3261E',
    dangerSoft: '#FBE9E7',
  },
  dark: {
    background: '#0D1015',
    surface: '#171B23',
    sunken: '#222834',
    border: '#2C3341',
    text: '#F1F3F7',
    muted: '#A3ACBD',
    accent: '#A5A1FF',
    onAccent: '#141233',
    accentSoft: '#272548',
    success: '#5FD3A6',
    warning: '#F2B45C',
    danger: '#FF9A90',
    dangerSoft: '#3A1F1E',
  },
};

/** Hues of the entity types: background and letter, light and dark. */
export const typeColours: Record<string, { light: [string, string]; dark: [string, string] }> = {
  task: { light: ['#E3E8FF', '#3538CD'], dark: ['#262B52', '#A9B4FF'] },
  email: { light: ['#DDF1FF', '#065986'], dark: ['#12364A', '#84CFFA'] },
  contact: { light: ['#DDF6EA', '#05603A'], dark: ['#123A2C', '#7ADCB2'] },
  concept: { light: ['#F6E5FB', '#7B2593'], dark: ['#3A2145', '#E3A5F5'] },
  entity: { light: ['#FBEBD9', '#8A4B08'], dark: ['#402B14', '#F5BE83'] },
};

export const space = { xs: 4, s: 8, m: 12, l: 16, xl: 24, xxl: 32 } as const;
export const radius = { s: 8, m: 12, l: 16, full: 999 } as const;
/** The least size of what is touched. */
export const TOUCH = 44;

export const type = {
  title: { fontSize: 28, lineHeight: 34, fontWeight: '700' },
  heading: { fontSize: 17, lineHeight: 22, fontWeight: '600' },
  body: { fontSize: 16, lineHeight: 22 },
  small: { fontSize: 14, lineHeight: 19 },
  caption: { fontSize: 12, lineHeight: 16, fontWeight: '600' },
} as const;
