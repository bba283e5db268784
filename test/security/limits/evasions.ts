/** Rows 17 and 18 of the table in docs/security.md: attacks that evade a limit after it is used up. */
import { UNKNOWN_CODE } from '../../support/codes.ts';
import { PhoneVisitor } from '../../support/visitors.ts';
import type { Attack } from '../attack.ts';
import { phoneOf } from '../meeting.ts';
import {
  gainIn,
  isLimited,
  keyInsteadOf,
  requestsByAct,
  SMALL_LIMIT,
  smallLimits,
  smallLimitsBehindProxy,
  UNKNOWN_INTERACTION,
  UNKNOWN_TICKET,
  useUpLimit,
} from './acts.ts';

export const evasions: Attack[] = [
  {
    row: 17,
    name: 'looks like another browser by its headers and cookies',
    on: smallLimits,
    without: keyInsteadOf('counting by the address', (ctx) => `${ctx.get('cookie')} ${ctx.get('user-agent')}`),
    run: async (site) => {
      const { scan } = requestsByAct(site);
      await useUpLimit(() => scan());
      return gainIn([
        await scan({ 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' }),
        await scan({ 'accept-language': 'zh', cookie: '_session=a; _qr_memory=b; _qr_seen=c' }),
      ]);
    },
  },
  {
    row: 18,
    name: 'forges its address in a header',
    on: smallLimits,
    without: { defence: 'distrust of forwarded headers', options: { proxy: true } },
    run: async (site) => {
      const { finish } = requestsByAct(site);
      await useUpLimit(() => finish());
      const headers = ['x-forwarded-for', 'x-real-ip', 'x-client-ip', 'cf-connecting-ip', 'true-client-ip'];
      const answers = headers.map((header) => finish({ [header]: '198.51.100.9' }));
      return gainIn(await Promise.all([...answers, finish({ forwarded: 'for=198.51.100.9' })]));
    },
  },
  {
    row: 18,
    name: 'forges its address in a header to which the proxy adds the real one',
    on: smallLimitsBehindProxy,
    without: keyInsteadOf('counting by the address that the proxy has added', (ctx) => ctx.ip),
    run: async (site) => {
      const { scan } = requestsByAct(site);
      await useUpLimit(() => scan({ 'x-forwarded-for': '203.0.113.7' }));
      const madeUp = ['198.51.100.9', '198.51.100.9, 198.51.100.10', 'unknown', '::1', '203.0.113.7, 127.0.0.1'];
      return gainIn(await Promise.all(madeUp.map((first) => scan({ 'x-forwarded-for': `${first}, 203.0.113.7` }))));
    },
  },
  {
    row: 17,
    name: 'uses every address of its IPv6 network',
    on: smallLimitsBehindProxy,
    without: keyInsteadOf('counting by the network', (ctx) => ctx.ip),
    run: async (site) => {
      const { watch } = requestsByAct(site);
      await useUpLimit(() => watch({ 'x-forwarded-for': '2001:db8:1:2::1' }));
      const others = ['2001:db8:1:2::2', '2001:DB8:1:2:ffff:ffff:ffff:ffff', '2001:0db8:0001:0002:0:0:0:3'];
      return gainIn(await Promise.all(others.map((other) => watch({ 'x-forwarded-for': other }))));
    },
  },
  {
    row: 17,
    name: 'writes its IPv4 address as an IPv6 address',
    on: smallLimitsBehindProxy,
    without: keyInsteadOf('one spelling for each address', (ctx) => ctx.ip),
    run: async (site) => {
      const { scan } = requestsByAct(site);
      await useUpLimit(() => scan({ 'x-forwarded-for': '203.0.113.7' }));
      return gainIn([await scan({ 'x-forwarded-for': '::ffff:203.0.113.7' })]);
    },
  },
  {
    row: 17,
    name: 'sends HEAD instead of GET',
    on: smallLimits,
    without: keyInsteadOf('counting all methods together', (ctx) => ctx.method),
    run: async (site) => {
      const { scan } = requestsByAct(site);
      await useUpLimit(() => scan());
      const head = new PhoneVisitor(site).agent.send(`${site.issuer}/qr/${UNKNOWN_CODE}`, { method: 'HEAD' });
      return gainIn([await head]);
    },
  },
  {
    row: 17,
    name: 'spells the URL in another way',
    on: smallLimits,
    without: keyInsteadOf('counting all spellings of a URL together', (ctx) => ctx.originalUrl),
    run: async (site) => {
      const { agent } = new PhoneVisitor(site);
      const { watch } = requestsByAct(site);
      await useUpLimit(() => watch());
      const uid = UNKNOWN_INTERACTION;
      const spellings = ['QR', 'qr/', '%71r', 'qr?a=1', 'Qr/?after=1'].map((end) => `interaction/${uid}/${end}`);
      const urls = [...spellings, `INTERACTION/${uid}/qr`, `interaction/%41${uid.slice(1)}/qr`, 'interaction/B/qr'];
      const answers = await Promise.all(
        urls.map((url) => agent.get(`${site.issuer}/${url}`, { headers: { accept: 'application/json' } })),
      );
      // Other URLs get the provider's own answer and are not limited.
      return gainIn(answers.filter(({ text }) => text.includes('"error":"no_interaction"')));
    },
  },
  {
    row: 17,
    name: 'signs in to the same account from many addresses',
    on: smallLimitsBehindProxy,
    without: {
      defence: 'a limit by account',
      options: { qrLogin: { limits: { address: { decide: SMALL_LIMIT }, account: { decide: 1_000_000 } } } },
    },
    run: async (site) => {
      let answers = 0;
      // More than 40 answers, the default limit by account, are a gain. The limit of this server is even smaller.
      for (let phones = 0; phones < 7; phones++) {
        const address = { 'x-forwarded-for': `203.0.113.${phones + 1}` };
        const phone = await phoneOf(site, 'alice', address);
        const looks = Array.from({ length: SMALL_LIMIT }, () =>
          phone.look(`${site.issuer}/qr/tickets/${UNKNOWN_TICKET}`),
        );
        answers += (await Promise.all(looks)).filter((answer) => !isLimited(answer)).length;
      }
      return answers > 40 ? `${answers} answers` : undefined;
    },
  },
];
