import { prove } from '../attack.ts';
import { attacks } from './csrf.ts';

prove('requests from other sites, and requests that only look', attacks);
