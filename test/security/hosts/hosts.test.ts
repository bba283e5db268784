import { prove } from '../attack.ts';
import { attacks } from './hosts.ts';

prove('forged addresses and host names', attacks);
