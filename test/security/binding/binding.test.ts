import { prove } from '../attack.ts';
import { attacks } from './binding.ts';

prove('attacks by a browser that did not show the code', attacks);
