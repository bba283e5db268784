/** Row 12: the confirm page shows the user all facts before an approval. */
import { assessByDefault } from '../../../src/index.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, inFront } from '../attack.ts';
import { confirmPage, sent, signedIn, textBeside } from './visits.ts';

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
  { name: 'which app asks', stands: /<dt>App.*?<\/dd>/s, isTold: showing('App', /^Test app$/) },
  {
    name: 'where the answer goes',
    stands: /<dt>Goes to.*?<\/dd>/s,
    isTold: (page, host) => page.includes('<dt>Goes to</dt>') && textBeside('Goes to', page) === host,
  },
  { name: 'which device asks', stands: /<dt>Device.*?<\/dd>/s, isTold: showing('Device', /^Chrome on Windows$/) },
  {
    name: 'that the device only describes itself',
    stands: /<small>as it describes itself<\/small>/,
    isTold: (page) => /<dt>Device<\/dt><dd>[^/]*<small>as it describes itself/.test(page),
  },
  { name: 'where the device is', stands: /<dt>Near.*?<\/dd>/s, isTold: showing('Near', /^Berlin, Germany$/) },
  {
    name: 'for how long the code has been shown',
    stands: /<dt>Shown.*?<\/dd>/s,
    isTold: showing('Shown', /^(now|\d+ seconds? ago)$/),
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
    name: 'what to do with a code from a message',
    stands: /<p class="quiet">If someone sent.*?<\/p>/s,
    isTold: (page) => /If someone sent you this code.*say no/.test(page),
  },
  {
    name: 'the consequence of an approval',
    stands: /<p class="quiet">If you approve, the.*?<\/p>/s,
    isTold: (page) => /the person at that device can use Test app as Alice/.test(page),
  },
  { name: 'how to say no', stands: /<button[^>]*value="deny".*?<\/button>/s, isTold: isNoAsNearAsYes },
  {
    name: 'how to report it',
    stands: /<button[^>]*value="report".*?<\/button>/s,
    isTold: (page) => /<button[^>]*name="decision" value="report">/.test(page),
  },
];

export const confirmAttacks: Attack[] = FACTS.map(({ name, stands, isTold }) => ({
  row: 12,
  name: `gets an approval on a page that does not show ${name}`,
  on: { proxy: true, qrLogin: { assess: assessByDefault, locate: () => ({ city: 'Berlin', country: 'DE' }) } },
  without: { name: 'this part of the page', options: leavingOut(stands) },
  run: async (site) => {
    const { browser } = await sent(site, {}, { ...WINDOWS, 'x-forwarded-for': '203.0.113.7' });
    const phone = await signedIn(site);
    const { text } = await confirmPage(phone, browser);
    if (isTold(text, new URL(site.client.callback).host)) return undefined;
    return (await phone.decide('approve')).status === 200 ? 'an approval' : undefined;
  },
}));

/** Returns true if No is in the same form as Yes, before it, neither hidden nor plainer. */
function isNoAsNearAsYes(page: string): boolean {
  const [, choice = ''] = /<div class="choice">(.*?)<\/div>/s.exec(page) ?? [];
  const buttons = [...choice.matchAll(/<button class="(\w+)" name="decision" value="(\w+)">/g)];
  return buttons.map(([, kind, value]) => `${value} ${kind}`).join() === 'deny refusal,approve primary';
}

function leavingOut(part: RegExp): WorldOptions {
  return inFront(async (ctx, next) => {
    await next();
    if (typeof ctx.body === 'string') ctx.body = ctx.body.replace(part, '');
  });
}
