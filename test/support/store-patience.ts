/** `--import` this, and the stores of the process may take as many milliseconds to answer as `STORE_PATIENCE` says. */
import { setStorePatience } from '../../src/stores/access.ts';

setStorePatience(Number(process.env.STORE_PATIENCE));
