/** Tests the store: `node --test examples/own-store/`. */
import { after, before, describe, it } from 'node:test';
import { storeContract } from 'oidc-provider-qr-login/store-contract';
import { Database, ownStore } from './store.js';

storeContract({ describe, it, before, after }, 'a store of our own', () => {
  const database = new Database();
  const makeEngine = ownStore(database);
  const callbacks = { onTrouble: () => undefined, onLate: () => undefined };
  const [here, there] = [makeEngine(Date.now, callbacks), makeEngine(Date.now, callbacks)];
  return {
    here,
    there,
    close: async () => {
      await Promise.all([here.close(), there.close()]);
    },
  };
});
