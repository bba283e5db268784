import { prove } from '../attack.ts';
import { attacks } from './actions.ts';

prove('an attacker at an action', attacks);
