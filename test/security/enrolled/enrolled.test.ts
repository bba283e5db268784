import { prove } from '../attack.ts';
import { attacks as byPhone } from './by-phone.ts';
import { attacks } from './enrolled.ts';

prove('an attacker of an account that is used in enrolled browsers only', [...attacks, ...byPhone]);
