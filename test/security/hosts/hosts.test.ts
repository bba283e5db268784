import { prove } from '../attack.ts';
import { attacks } from './hosts.ts';

prove('where a request comes from and goes to', attacks);
