/** Attacks on the code: F1 to F4 of the study in flaws.ts. */
import { BrowserActs } from '../../../src/ticket/browser.ts';
import { Codes } from '../../../src/ticket/codes/code.ts';
import type { BrowserVisitor } from '../../support/visitors.ts';
import { type Attack, inFront, replacing } from '../attack.ts';
import {
  accountAt,
  expectStatus,
  goOn,
  openQrPage,
  scanAndApprove,
  signInPhone,
  startWith,
  stealCookies,
} from '../scene.ts';
import { all, asWaiting, bindingFromTheUrl, interactionFromTheUrl, phoneFinds } from '../weaknesses.ts';

type FlawAttack = Omit<Attack, 'row'>;

export const withoutCookies: FlawAttack = {
  name: "finishes what the victim's phone has approved, knowing all but the cookies of the browser that showed the code",
  without: { defence: 'a binding to the browser', patch: bindingFromTheUrl, options: interactionFromTheUrl },
  run: async (site) => {
    const { browser: victim, checkCode } = await scanAndApprove(site);
    const attacker = await stealCookies(victim, () => false);
    const answer = await attacker.finish(checkCode);
    if (answer.status === 200) {
      await goOn(attacker, answer.json().redirectTo);
      return accountAt(site, attacker.agent);
    }
    expectStatus(await victim.finish(checkCode), 200, "the victim's own browser");
    return undefined;
  },
};

export const usedCode: FlawAttack = {
  name: "scans a code that has just been used for a sign-in, with the attacker's own account",
  without: {
    defence: 'an end to a used code',
    patch: phoneFinds((ticket) => (ticket.state === 'redeemed' ? asWaiting(ticket) : ticket)),
  },
  run: async (site) => {
    const { browser: victim, code, checkCode } = await scanAndApprove(site);
    const attacker = await signInPhone(site, 'bob');
    expectStatus(await victim.finish(checkCode), 200, 'the sign-in');
    const again = await attacker.scan(code);
    return again.status === 200 ? again.text : undefined;
  },
};

export const usedSignIn: FlawAttack = {
  name: 'signs in again, at a shared screen, with an approval that was used already',
  without: {
    defence: 'an end to a used approval',
    patch: replacing(BrowserActs.prototype, 'finish', (original) => {
      let last: ReturnType<typeof original> | undefined;
      return async function (this: BrowserActs, ...given) {
        const outcome = original.apply(this, given);
        const isGood = await outcome.then(
          () => true,
          () => false,
        );
        if (isGood) last = outcome;
        return last ?? outcome;
      };
    }),
  },
  run: async (site) => {
    const { browser, checkCode } = await scanAndApprove(site);
    const answer = expectStatus(await browser.finish(checkCode), 200, 'the sign-in');
    await goOn(browser, answer.json().redirectTo);
    if ((await accountAt(site, browser.agent)) === undefined) throw new Error('the victim was not signed in');
    await signOut(browser);

    const again = [await browser.finish(checkCode)];
    expectStatus(await browser.start(), 200, 'the next QR page');
    again.push(await browser.finish(checkCode));
    for (const { status, json } of again) if (status === 200) await goOn(browser, json().redirectTo);
    return accountAt(site, browser.agent);
  },
};

export const predictedCode: FlawAttack = {
  name: "predicts the victim's code from a code of the attacker's own, and scans it without having seen it",
  without: { defence: 'unpredictable ids', patch: codesThatCount },
  run: async (site) => {
    const attacker = await openQrPage(site);
    const own = await attacker.code();
    const victim = await openQrPage(site);
    const phone = await signInPhone(site, 'bob');
    for (const guess of successors(own)) {
      const page = await phone.scan(new URL(guess, own).href);
      if (page.status === 200 && (await victim.ticket()).state === 'scanned') return page.text;
    }
    expectStatus(await phone.scan(await attacker.code()), 200, 'a code that was seen');
    return undefined;
  },
};

/** A text in the form of a code. */
const CHOSEN = Buffer.alloc(34, 'chosen').toString('base64url');
const CHOSEN_FIELDS = { code: CHOSEN, id: CHOSEN.slice(0, 24), qr: CHOSEN, qr_id: CHOSEN, ticket: CHOSEN.slice(0, 24) };

export const chosenCode: FlawAttack = {
  name: 'chooses the code that will be shown, to hand it out in advance',
  without: { defence: 'codes that only the server makes', ...codesFromTheClient() },
  run: async (site) => {
    const attacker = await openQrPage(site);
    expectStatus(await startWith(attacker, { state: 'any', ...CHOSEN_FIELDS }), 200, 'the QR page');
    expectStatus(await attacker.agent.get(`${attacker.at}?${new URLSearchParams(CHOSEN_FIELDS)}`), 200, 'the QR page');
    const address = `${attacker.at}/qr/renew?${new URLSearchParams(CHOSEN_FIELDS)}`;
    expectStatus(await attacker.post(address, CHOSEN_FIELDS), 200, 'a new code');
    const phone = await signInPhone(site);
    const onScreen = await attacker.code();
    const chosen = await phone.scan(new URL(CHOSEN, onScreen).href);
    if (chosen.status === 200 || onScreen.includes(CHOSEN_FIELDS.id)) return chosen.text;
    expectStatus(await phone.scan(onScreen), 200, 'the code on the screen');
    return undefined;
  },
};

/** Signs out with the form of the provider's own page. */
async function signOut(browser: BrowserVisitor): Promise<void> {
  const { issuer } = browser.site;
  const asked = await browser.agent.get(`${issuer}/session/end`, { headers: { accept: 'text/html' } });
  const [, xsrf = ''] = /name="xsrf" value="([\w-]+)"/.exec(asked.text) ?? [];
  await browser.submit(`${issuer}/session/end/confirm`, { xsrf, logout: 'yes' });
  if ((await accountAt(browser.site, browser.agent)) !== undefined) throw new Error('the victim could not sign out');
}

const GUESSES = 8;

/** Returns the codes that follow this one if codes are counted, as numbers or in the last bytes of their ids. */
function successors(address: string): string[] {
  const code = new URL(address).pathname.split('/').at(-1) ?? '';
  return Array.from({ length: GUESSES }, (_, index) => {
    if (/^\d+$/.test(code)) return `${Number(code) + index + 1}`.padStart(code.length, '0');
    const bytes = Buffer.from(code, 'base64url');
    bytes.writeUInt32BE((bytes.readUInt32BE(14) + index + 1) >>> 0, 14);
    return bytes.toString('base64url');
  });
}

/** A server that counts its codes, in six digits. */
function codesThatCount(): () => void {
  const ids: string[] = [];
  return all(
    replacing(Codes.prototype, 'show', () => (id) => {
      if (!ids.includes(id)) ids.push(id);
      return { code: `${ids.indexOf(id)}`.padStart(6, '0'), rotatesIn: 10_000 };
    }),
    replacing(Codes.prototype, 'idOf', () => (code) => ids[Number(code)]),
    replacing(Codes.prototype, 'isFresh', () => () => true),
  )();
}

/** A server that shows the code that a request names. */
function codesFromTheClient(): Pick<Attack['without'], 'options' | 'patch'> {
  let wanted: string | undefined;
  let chosenFor: string | undefined;
  return {
    options: inFront(async (ctx, next) => {
      if (ctx.query.code !== undefined) wanted = `${ctx.query.code}`;
      await next();
    }),
    patch: all(
      replacing(
        Codes.prototype,
        'show',
        (original) =>
          function (this: Codes, id, now) {
            chosenFor = id;
            return { ...original.call(this, id, now), ...(wanted !== undefined && { code: wanted }) };
          },
      ),
      replacing(
        Codes.prototype,
        'idOf',
        (original) =>
          function (this: Codes, code) {
            return code === wanted ? chosenFor : original.call(this, code);
          },
      ),
      replacing(Codes.prototype, 'isFresh', () => () => true),
    ),
  };
}
