import { prove } from '../attack.ts';
import { attacks } from './bodies.ts';

prove('bodies', attacks);
