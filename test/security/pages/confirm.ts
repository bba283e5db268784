/** Row 12 of the table in docs/security.md: the confirm page shows the user all facts before an approval. */
import { assessByDefault } from '../../../src/index.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, inFront } from '../attack.ts';
import { nameOn, openConfirmPage, signInPhone, startSignIn, textBeside } from './visits.ts';

const WINDOWS = { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/150.0.0.0 Safari/537.36' };

interface Fact {
  readonly name: string;
  /** Matches the part of the page that shows the fact. */
  readonly stands: RegExp;
  readonly isTold: (page: string, host: string) => boolean;
}

const showing = (term: string, value: RegExp) => (page: string) =>
  page.includes(`<dt>${term}</dt>`) && value.test(textBeside(term, page));

const FACTS: Fact[] = [
  { name: 'which app asks', stands: /Test app/g, isTold: (page) => /<h1>/.test(page) && nameOn(page) === 'Test app' },
  {
    name: 'where the answer goes',
    stands: /<dt>Website.*?<\/dd>/s,
    isTold: (page, host) => page.includes('<dt>Website</dt>') && textBeside('Website', page) === host,
  },
  { name: 'which device asks', stands: /<dt>Device.*?<\/dd>/s, isTold: showing('Device', /^Chrome on Windows$/) },
  {
    name: 'that the device and its place may be wrong',
    stands: /<p class="estimate">.*?<\/p>/s,
    isTold: (page) => /The device and the place are estimates/.test(page),
  },
  {
    name: 'where the device is',
    stands: /<span>Berlin.*?<\/span>/s,
    isTold: (page) => /<dt>Device<\/dt>.*?<small><span>Berlin, Germany<\/span>/s.test(page),
  },
  {
    name: 'the time for which the code has been shown',
    stands: /<span>Started:.*?<\/span>/s,
    isTold: (page) => /<span>Started: (now|\d+ seconds? ago)<\/span>/.test(page),
  },
  { name: 'the account', stands: /<dt>Account.*?<\/dd>/s, isTold: showing('Account', /^Alice Liddell$/) },
  {
    name: 'what the app wants',
    stands: /<ul class="wants">.*?<\/ul>/s,
    isTold: (page) => /<li>see your profile/.test(page),
  },
  {
    name: 'the question whether the user has started this',
    stands: /<p class="question">.*?<\/p>/s,
    isTold: (page) => /Did you start this sign-in yourself/.test(page),
  },
  {
    name: 'the advice about a code from a message',
    stands: /<p class="warning">.*?<\/p>/s,
    isTold: (page) => /If someone sent you this QR code.*decline/.test(page),
  },
  {
    name: 'the consequence of an approval',
    stands: /<p>If you approve, the.*?<\/p>/s,
    isTold: (page) => /the person at that device can use Test app as Alice/.test(page),
  },
  { name: 'the way to say no', stands: /<button[^>]*value="deny".*?<\/button>/s, isTold: isNoAsNearAsYes },
  {
    name: 'the way to report it',
    stands: /<button[^>]*value="report".*?<\/button>/s,
    isTold: (page) => /<button[^>]*name="decision" value="report"[^>]*>/.test(page),
  },
];

export const confirmAttacks: Attack[] = FACTS.map(({ name, stands, isTold }) => ({
  row: 12,
  name: `gets an approval on a page that does not show ${name}`,
  on: { proxy: true, qrLogin: { assess: assessByDefault, locate: () => ({ city: 'Berlin', country: 'DE' }) } },
  without: { defence: 'this part of the page', options: leavingOut(stands) },
  run: async (site) => {
    const { browser } = await startSignIn(site, {}, { ...WINDOWS, 'x-forwarded-for': '203.0.113.7' });
    const phone = await signInPhone(site);
    const { text } = await openConfirmPage(phone, browser);
    if (isTold(text, new URL(site.client.callback).host)) return undefined;
    return (await phone.decide('approve')).status === 200 ? 'an approval' : undefined;
  },
}));

/** Returns true if the No button stands directly before the Yes button in the same form, each with its usual class. */
function isNoAsNearAsYes(page: string): boolean {
  const [, choice = ''] = /<div class="choice">(.*?)<\/div>/s.exec(page) ?? [];
  const buttons = [...choice.matchAll(/<button class="(\w+)" name="decision" value="(\w+)"[^>]*>/g)];
  return buttons.map(([, kind, value]) => `${value} ${kind}`).join() === 'deny refusal,approve primary';
}

function leavingOut(part: RegExp): WorldOptions {
  return inFront(async (ctx, next) => {
    await next();
    if (typeof ctx.body === 'string') ctx.body = ctx.body.replace(part, '');
  });
}
