import { prove } from '../attack.ts';
import { attacks } from './redirects.ts';

prove('an answer that leads to where an attacker wants it', attacks);
