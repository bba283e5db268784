import { prove } from '../attack.ts';
import { attacks } from './csrf.ts';

prove('another site, and whoever only looks', attacks);
