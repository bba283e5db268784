import { prove } from '../attack.ts';
import { attacks } from './backchannel.ts';

prove('attacks on requests without a browser', attacks);
