/** Who is signed in, and where the backend is: all that the engine has to know of either. */
import { supabaseConnector } from '@omnii/sync';
import { config } from '../config';
import { supabase } from '../supabase';

export const connector = supabaseConnector(supabase, { baseUrl: config.mcpBaseUrl });
