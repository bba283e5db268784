import { prove } from '../attack.ts';
import { attacks } from './browser-passkeys.ts';

prove('an attacker who wants a passkey in a browser that the victim has approved', attacks);
