import { generateKeyPairSync, sign } from 'node:crypto';
import { createContext, runInContext } from 'node:vm';
import { expect } from 'chai';
import type * as library from '../../src/phone/index.ts';
import { bundleLibrary } from './bundled.ts';
import { ProofServer } from './proof-server.ts';
import { CODE, viewOf } from './views.ts';

/** The globals that the library may need besides those of the language. React Native has them without polyfills. */
const REACT_NATIVE = { fetch, AbortController, setTimeout, clearTimeout };

describe('an engine without WebCrypto, URL, TextEncoder, btoa and AbortSignal.any, such as React Native', () => {
  it('runs a whole sign-in with a native signer', async () => {
    const { Phone, rawSignature } = await loadLibrary(REACT_NATIVE);
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signer: library.Signer = {
      publicJwk: key.publicKey.export({ format: 'jwk' }) as unknown as library.PublicJwk,
      // The Android Keystore returns signatures in DER.
      sign: async (bytes) => rawSignature(sign('sha256', bytes, key.privateKey)),
    };
    const views = [viewOf(), viewOf({ version: 2, state: 'approved' }), viewOf({ version: 3, state: 'finished' })];
    await ProofServer.during(
      ({ proof }) =>
        proof.nonce ? { body: views.shift() } : { status: 401, headers: { 'DPoP-Nonce': 'n1' }, body: NONCE_DEMANDED },
      async (server) => {
        const phone = new Phone({ issuer: server.issuer, accessToken: 'a token', signer });
        const ticket = await phone.scan(`${server.issuer}/qr/${CODE}`);
        const states: string[] = [];
        await ticket.approve({ remember: true });
        for await (const { state } of ticket.watch()) states.push(state);
        expect(states).to.deep.equal(['approved', 'finished']);
        expect(server.requests).to.have.length(4);
      },
    );
  });
});

const NONCE_DEMANDED = { error: 'use_dpop_nonce', error_description: 'use the nonce' };

/** Loads the library into an engine that has only the language and these globals. */
async function loadLibrary(globals: object): Promise<typeof library> {
  const context = createContext({ ...globals });
  runInContext(await bundleLibrary('iife'), context);
  for (const missing of ['crypto', 'URL', 'TextEncoder', 'btoa', 'AbortSignal', 'process'])
    expect(runInContext(`typeof ${missing}`, context), missing).to.equal('undefined');
  return runInContext('library', context);
}
