import { ADAPTER_BACKENDS, type AdapterBackend } from './adapter-backends.ts';
import { consumesOnce } from './adapter-consume-contract.ts';
import { revokesGrants } from './adapter-grants-contract.ts';
import { keepsRecords } from './adapter-methods-contract.ts';

for (const [name, start] of Object.entries(ADAPTER_BACKENDS)) {
  describe(`the adapter over ${name}`, () => {
    let started: AdapterBackend;
    const backend = (): AdapterBackend => started;

    before(async () => {
      started = await start();
    });

    after(() => started.stop());

    keepsRecords(backend);
    consumesOnce(backend);
    revokesGrants(backend);
  });
}
