/** Row 12: nobody approves without having been told what. */
import { assessByDefault } from '../../../src/index.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, inFront } from '../attack.ts';
import { confirmPage, saidOf, sent, signedIn } from './visits.ts';

const WINDOWS = { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/150.0.0.0 Safari/537.36' };

interface Fact {
  readonly name: string;
  /** Where it stands on the page. */
  readonly stands: RegExp;
  readonly isTold: (page: string, host: string) => boolean;
}

const told = (term: string, said: RegExp) => (page: string) =>
  page.includes(`<dt>${term}</dt>`) && said.test(saidOf(term, page));

const FACTS: Fact[] = [
  { name: 'which app asks', stands: /<dt>App.*?<\/dd>/s, isTold: told('App', /^Test app$/) },
  {
    name: 'where the answer goes',
    stands: /<dt>Goes to.*?<\/dd>/s,
    isTold: (page, host) => page.includes('<dt>Goes to</dt>') && saidOf('Goes to', page) === host,
  },
  { name: 'which screen asks', stands: /<dt>Screen.*?<\/dd>/s, isTold: told('Screen', /^Chrome on Windows$/) },
  {
    name: 'that the screen may lie',
    stands: /<small>as it says of itself<\/small>/,
    isTold: (page) => /<dt>Screen<\/dt><dd>[^/]*<small>as it says of itself/.test(page),
  },
  { name: 'where the screen is', stands: /<dt>Near.*?<\/dd>/s, isTold: told('Near', /^Berlin, Germany$/) },
  { name: 'since when it is there', stands: /<dt>Shown.*?<\/dd>/s, isTold: told('Shown', /^(now|\d+ seconds? ago)$/) },
  { name: 'for which account', stands: /<dt>Account.*?<\/dd>/s, isTold: told('Account', /^Alice Liddell$/) },
  {
    name: 'what the app wants',
    stands: /<ul class="wants">.*?<\/ul>/s,
    isTold: (page) => /<li>see your profile/.test(page),
  },
  {
    name: 'to ask who has started this',
    stands: /<p class="question">.*?<\/p>/s,
    isTold: (page) => /Did you start this yourself/.test(page),
  },
  {
    name: 'what to do with a code out of a message',
    stands: /<p class="quiet">If somebody sent.*?<\/p>/s,
    isTold: (page) => /If somebody sent you this code.*say no/.test(page),
  },
  {
    name: 'what a yes leads to',
    stands: /<p class="quiet">If you say yes.*?<\/p>/s,
    isTold: (page) => /whoever sits at that screen can use Test app as Alice/.test(page),
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
  name: `gets somebody to approve whom the page does not tell ${name}`,
  on: { proxy: true, qrLogin: { assess: assessByDefault, locate: () => ({ city: 'Berlin', country: 'DE' }) } },
  without: { name: 'that on the page', options: leavingOut(stands) },
  run: async (site) => {
    const { browser } = await sent(site, {}, { ...WINDOWS, 'x-forwarded-for': '203.0.113.7' });
    const phone = await signedIn(site);
    const { text } = await confirmPage(phone, browser);
    if (isTold(text, new URL(site.client.callback).host)) return undefined;
    return (await phone.decide('approve')).status === 200 ? 'an approval' : undefined;
  },
}));

/** In the same form, before it, neither hidden nor plainer. */
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
