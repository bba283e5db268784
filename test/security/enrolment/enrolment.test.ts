import { prove } from '../attack.ts';
import { attacks } from './enrolment.ts';

prove('an attacker who wants a lasting way in', attacks);
