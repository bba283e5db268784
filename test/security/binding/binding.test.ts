import { prove } from '../attack.ts';
import { attacks } from './binding.ts';

prove('another browser than the one that showed the code', attacks);
