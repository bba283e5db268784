import { prove } from '../attack.ts';
import { attacks } from './asking.ts';

prove('an attacker who makes a browser ask phones', attacks);
