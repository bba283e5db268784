import { prove } from '../attack.ts';
import { attacks } from './bodies.ts';

prove('attacks by malformed bodies', attacks);
