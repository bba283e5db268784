import { prove } from '../attack.ts';
import { attacks } from './redirects.ts';

prove('redirects to an address of the attacker', attacks);
