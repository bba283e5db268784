import { prove } from '../attack.ts';
import { attacks } from './actions.ts';
import { attacks as impostors } from './impostors.ts';
import { attacks as results } from './results.ts';

prove('attacks on actions that a phone approves', [...attacks, ...impostors, ...results]);
