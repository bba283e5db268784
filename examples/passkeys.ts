/** The example's passkeys: their records, and the requests with which the account page adds one. */
import { readFileSync } from 'node:fs';
import Router from '@koa/router';
import { generateRegistrationOptions, verifyRegistrationResponse } from '@simplewebauthn/server';
import parseBody from 'co-body';
import type { Keyv } from 'keyv';
import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Passkey } from '../src/passkeys.ts';
import type { Accounts } from './accounts.ts';

/** A passkey as stored, with the public key in base64url. */
type StoredPasskey = Omit<Passkey, 'publicKey'> & { readonly publicKey: string };

/** Passkeys in a Keyv: each one by its id, and a list of ids by account. */
export class PasskeyRecords {
  readonly #store: Keyv;

  constructor(store: Keyv) {
    this.#store = store;
  }

  readonly find = async (id: string): Promise<Passkey | undefined> => {
    const stored = await this.#store.get<StoredPasskey>(`passkey:${id}`);
    return stored && { ...stored, publicKey: new Uint8Array(Buffer.from(stored.publicKey, 'base64url')) };
  };

  readonly ofAccount = async (accountId: string): Promise<Passkey[]> => {
    const ids = (await this.#store.get<string[]>(`passkeys:${accountId}`)) ?? [];
    const found = await Promise.all(ids.map(this.find));
    return found.filter((passkey) => passkey !== undefined);
  };

  readonly used = async (id: string, counter: number): Promise<void> => {
    const passkey = await this.find(id);
    if (passkey !== undefined) await this.#put({ ...passkey, counter });
  };

  async add(passkey: Passkey): Promise<void> {
    const ids = (await this.#store.get<string[]>(`passkeys:${passkey.accountId}`)) ?? [];
    await this.#put(passkey);
    await this.#store.set(`passkeys:${passkey.accountId}`, [...new Set([...ids, passkey.id])]);
  }

  async #put(passkey: Passkey): Promise<void> {
    const publicKey = Buffer.from(passkey.publicKey).toString('base64url');
    await this.#store.set(`passkey:${passkey.id}`, { ...passkey, publicKey } satisfies StoredPasskey);
  }
}

const CHALLENGE = 'passkey_challenge';
const SCRIPT = readFileSync(new URL('client/add-passkey.js', import.meta.url), 'utf8');

/**
 * The user must have signed in within this many seconds to add a passkey: a session that was left open is not enough.
 */
export const FRESH_SECONDS = 300;

/** Serves the requests that add a passkey of this device, for a user who has just signed in on it. */
export function addPasskey(provider: Provider, accounts: Accounts, records: PasskeyRecords): Middleware {
  const { origin, hostname, pathname } = new URL(provider.issuer);
  const path = `${pathname.replace(/\/$/, '')}/account/passkeys`;

  const signedIn = async (ctx: Context): Promise<{ id: string; userName: string }> => {
    const { accountId = '', loginTs = 0 } = await provider.Session.get(ctx);
    const person = accounts.find(accountId);
    if (person === undefined || Date.now() / 1000 - loginTs > FRESH_SECONDS) return ctx.throw(401, 'sign in first');
    return person;
  };

  const router = new Router()
    .get('/account/add-passkey.js', (ctx) => {
      ctx.type = 'js';
      ctx.body = SCRIPT;
    })
    .post('/account/passkeys/options', async (ctx) => {
      const person = await signedIn(ctx);
      const options = await generateRegistrationOptions({
        rpName: 'Example ID',
        rpID: hostname,
        userName: person.userName,
        userID: new TextEncoder().encode(person.id),
        excludeCredentials: (await records.ofAccount(person.id)).map(({ id }) => ({ id })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      });
      ctx.cookies.set(CHALLENGE, options.challenge, { path, signed: true, sameSite: 'strict', maxAge: 300_000 });
      ctx.body = options;
    })
    .post('/account/passkeys', async (ctx) => {
      const person = await signedIn(ctx);
      const response = await parseBody.json(ctx, { limit: 16_384 });
      const expectedChallenge = ctx.cookies.get(CHALLENGE, { signed: true }) ?? ctx.throw(400, 'begin again');
      ctx.cookies.set(CHALLENGE, null, { path, signed: true });
      const { registrationInfo } = await verifyRegistrationResponse({
        response,
        expectedChallenge,
        expectedOrigin: origin,
        expectedRPID: hostname,
      }).catch((error: Error) => ctx.throw(400, error.message));
      if (registrationInfo === undefined) return ctx.throw(400, 'the passkey is not good');
      await records.add({ ...registrationInfo.credential, accountId: person.id });
      ctx.body = {};
    });
  return router.routes() as unknown as Middleware;
}
