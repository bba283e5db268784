/** Makes phones with a passkey, and takes the steps of attacks on these phones. */
import type { Answer } from '../../support/agent.ts';
import type { BrowserVisitor, PhoneVisitor, Site } from '../../support/visitors.ts';
import { browserAt, followToRp, phoneOf, scanCode, sendDecision } from '../meeting.ts';
import { Authenticator } from './authenticator.ts';

export const IDS = { alice: 'a11ce', bob: 'b0b' } as const;
export type Name = keyof typeof IDS;

/** A phone that is signed in, and the passkey of its account. */
export interface PhoneWithPasskey {
  readonly phone: PhoneVisitor;
  readonly passkey: Authenticator;
}

export async function phoneWithPasskey(site: Site, name: Name = 'alice'): Promise<PhoneWithPasskey> {
  const phone = await phoneOf(site, name);
  return { phone, passkey: await new Authenticator(site.issuer).register(phone) };
}

/** Returns the challenge of the confirm page. */
export async function challengeOnPhone(phone: PhoneVisitor): Promise<string> {
  const { challenge } = (await phone.look()).json() as { challenge?: { passkey: { challenge: string } } };
  if (challenge === undefined) throw new Error('the page asks for no passkey');
  return challenge.passkey.challenge;
}

/** Returns the challenge of the QR page. */
export async function challengeInBrowser(browser: BrowserVisitor): Promise<string> {
  const { text } = await browser.agent.get(browser.at, { headers: { accept: 'text/html' } });
  const [, challenge] = /challenge(?:&quot;|"):(?:&quot;|")([\w-]+)/.exec(text) ?? [];
  if (challenge === undefined) throw new Error('the page asks for no passkey');
  return challenge;
}

export function approveWith(phone: PhoneVisitor, proof: string): Promise<Answer> {
  return sendDecision(phone, { decision: 'approve', ...(proof !== '' && { proof }) });
}

/**
 * Plays an attacker who has the cookies of alice's phone: shows a code in a browser of the attacker, scans it with
 * these cookies, and approves it with the proof. Before that, checks that alice herself can approve.
 * @returns the account that the attacker is signed in to
 */
export async function approveWithCookiesOf(
  { phone, passkey }: PhoneWithPasskey,
  proof: (challenge: string) => string | Promise<string>,
): Promise<string | undefined> {
  const own = await browserAt(phone.site);
  await scanCode(phone, own);
  const good = await approveWith(phone, passkey.answer(await challengeOnPhone(phone)));
  if (good.json().state !== 'approved') throw new Error(`a good proof is refused: ${good.status} ${good.text}`);

  const attacker = await browserAt(phone.site);
  await scanCode(phone, attacker);
  await approveWith(phone, await proof(await challengeOnPhone(phone)));
  return followToRp(attacker, await attacker.finish());
}

export function signInWith(browser: BrowserVisitor, proof: string, more: Record<string, string> = {}): Promise<Answer> {
  return browser.post(`${browser.at}/qr/passkey`, { proof, ...more });
}
