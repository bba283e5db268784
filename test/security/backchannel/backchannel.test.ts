import { prove } from '../attack.ts';
import { attacks } from './backchannel.ts';

prove('an attacker at a request without a browser', attacks);
