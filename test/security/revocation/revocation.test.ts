import { prove } from '../attack.ts';
import { attacks } from './revocation.ts';

prove('sign-ins that were revoked', attacks);
