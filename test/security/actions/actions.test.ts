import { prove } from '../attack.ts';
import { attacks } from './actions.ts';

prove('attacks on actions that a phone approves', attacks);
