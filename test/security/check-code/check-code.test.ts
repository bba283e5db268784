import { prove } from '../attack.ts';
import { attacks } from './check-code.ts';
import { numberTapAttacks } from './tapping.ts';

prove('an attacker who has not seen the phone', [...attacks, ...numberTapAttacks]);
