import { prove } from '../attack.ts';
import { attacks } from './check-code.ts';

prove('whoever has not seen the phone', attacks);
