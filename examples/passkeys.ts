/** Keeps the example's passkeys, and serves the requests with which the account page adds and removes them. */
import { readFileSync } from 'node:fs';
import Router from '@koa/router';
import parseBody from 'co-body';
import type { Keyv } from 'keyv';
import type { Context, Middleware } from 'koa';
import type { Provider } from 'oidc-provider';
import { localAuthentication, type PhoneSignIn, ProofRefused } from '../src/index.ts';
import type { Passkey, PasskeyRegistration, RegistrationProof } from '../src/passkeys.ts';
import type { Accounts } from './accounts.ts';
import { requireOwnPage } from './own-page.ts';

/** A passkey as stored, with the public key in base64url. */
type StoredPasskey = Omit<DatedPasskey, 'publicKey'> & { readonly publicKey: string };

/** A passkey with the time at which it was added, in milliseconds since the epoch; older records lack it. */
type DatedPasskey = Passkey & { readonly addedAt?: number };

/** Passkeys in a Keyv: each one by its id, and a list of ids by account. */
export class PasskeyRecords {
  readonly #store: Keyv;
  /** The last addition of this process. A Keyv cannot add atomically, so each addition waits for the previous. */
  #adding: Promise<unknown> = Promise.resolve();

  constructor(store: Keyv) {
    this.#store = store;
  }

  readonly find = async (id: string): Promise<DatedPasskey | undefined> => {
    const stored = await this.#store.get<StoredPasskey>(`passkey:${id}`);
    return stored && { ...stored, publicKey: new Uint8Array(Buffer.from(stored.publicKey, 'base64url')) };
  };

  readonly ofAccount = async (accountId: string): Promise<DatedPasskey[]> => {
    const ids = (await this.#store.get<string[]>(`passkeys:${accountId}`)) ?? [];
    const found = await Promise.all(ids.map(this.find));
    return found.filter((passkey) => passkey !== undefined).filter((passkey) => passkey.accountId === accountId);
  };

  readonly used = async (id: string, counter: number): Promise<void> => {
    const passkey = await this.find(id);
    if (passkey !== undefined) await this.#put({ ...passkey, counter });
  };

  /** Stores a new passkey. @returns false if its id exists already, on any account */
  readonly add = (passkey: Passkey): Promise<boolean> => {
    const added = this.#adding.then(() => this.#addNew(passkey));
    this.#adding = added.catch(() => undefined);
    return added;
  };

  async #addNew(passkey: Passkey): Promise<boolean> {
    if ((await this.find(passkey.id)) !== undefined) return false;
    const ids = (await this.#store.get<string[]>(`passkeys:${passkey.accountId}`)) ?? [];
    await this.#put({ ...passkey, addedAt: Date.now() });
    await this.#store.set(`passkeys:${passkey.accountId}`, [...new Set([...ids, passkey.id])]);
    return true;
  }

  /** Removes a passkey, if it is one of this account. */
  readonly remove = async (accountId: string, id: string): Promise<void> => {
    const passkey = await this.find(id);
    if (passkey?.accountId === accountId) await this.#store.delete(`passkey:${id}`);
  };

  async #put(passkey: DatedPasskey): Promise<void> {
    const publicKey = Buffer.from(passkey.publicKey).toString('base64url');
    await this.#store.set(`passkey:${passkey.id}`, { ...passkey, publicKey } satisfies StoredPasskey);
  }
}

const CHALLENGE = 'passkey_challenge';
const SCRIPT = readFileSync(new URL('client/add-passkey.js', import.meta.url), 'utf8');

/** The time after an authentication in which a user may add or remove passkeys, in seconds. */
const PRESENCE_SECONDS = 300;

/**
 * Returns the proof that the user is at this browser: a password or a passkey that was used here a short time ago. A
 * browser that a phone signed in has none, because an attacker who relayed that approval could add a passkey of their
 * own. For that browser, `browserPasskeys` asks the phone.
 */
export function presenceOf(provider: Provider, ctx: Context): Promise<RegistrationProof | undefined> {
  return localAuthentication(provider, ctx, { maxAge: PRESENCE_SECONDS });
}

export interface EnrolmentPorts {
  readonly provider: Provider;
  readonly accounts: Accounts;
  readonly registration: PasskeyRegistration;
  readonly records: PasskeyRecords;
  /** Returns the URL where the user signs in in this browser. */
  readonly signIn: (ctx: Context, wanted: PhoneSignIn) => string;
}

/** Serves the requests that add or remove a passkey, for a user who has just authenticated on this device. */
export function managePasskeys({ provider, accounts, registration, records, signIn }: EnrolmentPorts): Middleware {
  const base = new URL(provider.issuer).pathname.replace(/\/$/, '');
  const cookie = { path: `${base}/account/passkeys`, signed: true, sameSite: 'strict', httpOnly: true } as const;

  /** Answers with the address of the sign-in, which leads back to the account page. */
  const askToSignIn = async (ctx: Context): Promise<void> => {
    const { accountId } = await provider.Session.get(ctx);
    const wanted = { returnTo: `${base}/account`, fresh: true, ...(accountId !== undefined && { accountId }) };
    ctx.status = 403;
    ctx.body = { error: 'insufficient_user_authentication', sign_in: signIn(ctx, wanted) };
  };

  const router = new Router()
    .get('/account/add-passkey.js', (ctx) => {
      ctx.type = 'js';
      ctx.body = SCRIPT;
    })
    .use('/account/passkeys', requireOwnPage(provider))
    .post('/account/passkeys/options', async (ctx) => {
      const proof = await presenceOf(provider, ctx);
      const person = proof && accounts.find(proof.accountId);
      if (proof === undefined || person === undefined) return askToSignIn(ctx);
      const options = await registration.options(proof, person.userName);
      ctx.cookies.set(CHALLENGE, options.challenge, { ...cookie, maxAge: PRESENCE_SECONDS * 1000 });
      ctx.body = options;
    })
    .post('/account/passkeys/remove', async (ctx) => {
      const proof = await presenceOf(provider, ctx);
      const { id } = await parseBody.form(ctx, { limit: 4096 });
      if (proof !== undefined) await records.remove(proof.accountId, String(id));
      // Without a proof, the page offers to sign in again.
      ctx.status = 303;
      ctx.redirect(`${base}/account`);
    })
    .post('/account/passkeys', async (ctx) => {
      const proof = await presenceOf(provider, ctx);
      if (proof === undefined) return askToSignIn(ctx);
      const answer: unknown = await parseBody.json(ctx, { limit: 16_384 });
      const challenge = ctx.cookies.get(CHALLENGE, { signed: true }) ?? ctx.throw(400, 'begin again');
      ctx.cookies.set(CHALLENGE, null, cookie);
      try {
        await registration.add(ctx, proof, challenge, answer);
        ctx.body = {};
      } catch (error) {
        if (!(error instanceof ProofRefused)) throw error;
        ctx.status = 400;
        ctx.body = { error: 'invalid_passkey', error_description: error.message };
      }
    });

  return router.routes() as unknown as Middleware;
}
