import { prove } from '../attack.ts';
import { attacks } from './repeats.ts';

prove('attacks by repetition after a failure', attacks);
