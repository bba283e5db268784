import { prove } from '../attack.ts';
import { attacks } from './repeats.ts';

prove('what can be repeated after a failure', attacks);
