/**
 * Row 40 of the table in docs/security.md: no action passes for a sign-in, and no sign-in for an action. The phone says
 * which of the two it is, for each name of a client and each text.
 */
import { testClient } from '../../fixtures/test-client.ts';
import { AppPerson } from '../../support/app.ts';
import { BrowserVisitor, type PhoneVisitor } from '../../support/visitors.ts';
import { CLIENT_SECRET, RP_CALLBACK, type WorldOptions } from '../../support/world.ts';
import type { Attack, Weakness } from '../attack.ts';
import { scanCode } from '../meeting.ts';
import { signInPhone } from '../scene.ts';
import { phoneFinds } from '../weaknesses.ts';
import { openAction, requestAction, withShops } from './shop.ts';

const IMPOSTOR = 'impostor';
const withImpostor: WorldOptions = {
  clients: [testClient(IMPOSTOR, { client_name: 'Example ID asks for your approval' })],
};
const HTML = { headers: { accept: 'text/html', 'accept-language': 'en' } };
const SIGN_IN = 'Yes, sign in';

const actionsAreSignIns: Weakness = {
  defence: 'a ticket that says that it is for an action',
  patch: phoneFinds((ticket) => {
    const { action: _, ...request } = ticket.request;
    return { ...ticket, request };
  }),
};
const signInsAreActions: Weakness = {
  defence: 'a ticket that says that it is for a sign-in',
  patch: phoneFinds((ticket) => {
    const action = { title: 'Confirm your address', details: '', expiresAt: ticket.endsAt };
    return { ...ticket, request: { ...ticket.request, action } };
  }),
};

/** Returns the page on which the phone decides. */
async function decisionPage(phone: PhoneVisitor): Promise<string> {
  return (await phone.agent.get(phone.at, HTML)).text;
}

export const attacks: readonly Attack[] = [
  {
    row: 40,
    name: 'asks for an action whose text imitates a sign-in',
    on: withShops,
    without: actionsAreSignIns,
    run: async (site) => {
      const { url } = await requestAction(site, 'Sign in to Example ID?');
      const [browser, phone] = [await openAction(site, url), await signInPhone(site)];
      await scanCode(phone, browser);
      const page = await decisionPage(phone);
      const saysWhatItIs = page.includes('asks for your approval') && !page.includes(SIGN_IN);
      return saysWhatItIs ? undefined : 'an action that looks like a sign-in';
    },
  },
  {
    row: 40,
    name: 'asks for a sign-in at a client whose name imitates an action',
    on: withImpostor,
    without: signInsAreActions,
    run: async (site) => {
      const client = { id: IMPOSTOR, secret: CLIENT_SECRET, callback: RP_CALLBACK };
      const [browser, phone] = [new BrowserVisitor({ ...site, client }), await signInPhone(site)];
      await browser.start();
      await scanCode(phone, browser);
      const page = await decisionPage(phone);
      const saysWhatItIs = page.includes('Sign in to Example ID asks for your approval?') && page.includes(SIGN_IN);
      return saysWhatItIs ? undefined : 'a sign-in that looks like an action';
    },
  },
  {
    row: 40,
    name: 'has an action approved in an app that knows sign-ins only',
    on: withShops,
    without: actionsAreSignIns,
    run: async (site) => {
      const { url } = await requestAction(site);
      const [browser, app] = [await openAction(site, url), await new AppPerson(site).signIn('alice')];
      const { status } = await app.scan(await browser.code());
      return status === 201 ? 'an app that shows the action as a sign-in' : undefined;
    },
  },
];
