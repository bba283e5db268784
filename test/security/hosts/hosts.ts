/**
 * Rows 18 and 19 of the table in docs/security.md: requests with forged addresses of the client and forged names of the
 * server.
 */
import type { Attack } from '../attack.ts';
import { addressAttacks } from './addresses.ts';
import { nameAttacks } from './names.ts';

export const attacks: Attack[] = [...nameAttacks, ...addressAttacks];
