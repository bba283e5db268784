/** Row 6 of the table in docs/security.md: nothing about the account reaches the browser before it is signed in. */

import { PageRenderer } from '../../../src/http/pages/renderer.ts';
import { BrowserViews } from '../../../src/http/ticket-view/browser-view.ts';
import { BrowserActs } from '../../../src/ticket/browser.ts';
import { QrLoginError } from '../../../src/ticket/errors.ts';
import { ownerOf } from '../../../src/ticket/ticket.ts';
import type { Answer } from '../../support/agent.ts';
import { BrowserVisitor, type PhoneVisitor, type Site } from '../../support/visitors.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, replacing } from '../attack.ts';
import { both, phoneOf, subjectOf } from './people.ts';

/** With a check code, the approval does not sign the browser in, because its user must still type the digits. */
const on: WorldOptions = { qrLogin: { assess: () => 'check code' } };

const viewsWithAccount = replacing(
  BrowserViews.prototype,
  'draw',
  (draw) =>
    function (this: BrowserViews, ticket, now, accountId) {
      const view = draw.call(this, ticket, now, accountId);
      return Object.assign(view, { approver: ticket && ownerOf(ticket)?.accountId });
    },
);

/** The same leak in the data from which the page is rendered. */
const drawnWithAccount = replacing(
  BrowserViews.prototype,
  'drawWithImage',
  (drawn) =>
    function (this: BrowserViews, ticket, now, accountId) {
      const view = drawn.call(this, ticket, now, accountId);
      return Object.assign(view, { approver: ticket && ownerOf(ticket)?.accountId });
    },
);

/** Pages that hand all of their data to their script. */
const pagesWithTheirData = replacing(
  PageRenderer.prototype,
  'render',
  (render) =>
    function (this: PageRenderer, ctx, name, page, preferred) {
      // A compressed page could not be changed.
      ctx.req.headers['accept-encoding'] = 'identity';
      render.call(this, ctx, name, page, preferred);
      ctx.body = `${ctx.body}<script type="application/json">${JSON.stringify(page)}</script>`;
    },
);

const refusalsWithAccount = replacing(
  BrowserActs.prototype,
  'finish',
  (finish) =>
    async function (this: BrowserActs, identity, said, assertAccount) {
      const ticket = await this.look(identity);
      const accountId = ticket && ownerOf(ticket)?.accountId;
      return finish.call(this, identity, said, assertAccount).catch(() => {
        throw new QrLoginError('wrong_check_code', `These are not the digits of ${accountId}.`);
      });
    },
);

/** Starts to record before the phone acts. @returns a function that returns everything that was recorded */
type Eavesdropper = (browser: BrowserVisitor) => Promise<() => Promise<string[]>>;

export const secrecy: Attack[] = [
  {
    row: 6,
    name: 'the browser reads the approver from the ticket in each state, with and without long polling',
    on,
    without: { defence: "a separate type for the browser's view", patch: viewsWithAccount },
    run: overhear(async (browser) => {
      const { version } = await browser.ticket();
      const next = browser.after(version);
      return async () => [
        JSON.stringify(await next),
        JSON.stringify(await browser.ticket()),
        serialize(await browser.agent.get(`${browser.at}/qr?after=0`)),
      ];
    }),
  },
  {
    row: 6,
    name: 'the browser reads the approver from the stream',
    on,
    without: { defence: "a separate type for the browser's view", patch: viewsWithAccount },
    run: overhear(async (browser) => {
      const stream = await browser.events();
      return async () => {
        const heard = [[...stream.response.headers].join('\n')];
        while (!heard.at(-1)?.includes('"state":"approved"')) heard.push((await stream.block()) ?? '');
        stream.close();
        return heard;
      };
    }),
  },
  {
    row: 6,
    name: 'the browser reads the approver from the source of its page',
    on,
    without: {
      defence: 'pages that hold only what their template renders',
      patch: () => both(drawnWithAccount, pagesWithTheirData),
    },
    run: overhear(async (browser) => async () => [
      serialize(await browser.agent.get(browser.at)),
      serialize(await browser.agent.get(browser.at, { headers: { accept: 'application/json' } })),
      serialize(await browser.agent.send(browser.at, { method: 'HEAD' })),
    ]),
  },
  {
    row: 6,
    name: 'the browser makes mistakes and reads the approver from the errors',
    on,
    without: { defence: 'errors that name no account', patch: refusalsWithAccount },
    run: overhear(async (browser) => async () => [
      serialize(await browser.finish()),
      serialize(await browser.finish('nonsense')),
      serialize(await browser.finish('000000')),
      serialize(await browser.submit(`${browser.at}/qr/finish`, { checkCode: '' })),
      serialize(await browser.post(`${browser.at}/qr/passkey`, { proof: '{}' })),
      serialize(await browser.post(`${browser.at}/consent`, {})),
      serialize(await browser.agent.get(`${browser.at}/consent`)),
      serialize(await browser.post(`${browser.at}/qr/renew`, { version: '1' })),
      serialize(await browser.post(`${browser.at}/cancel`, {})),
    ]),
  },
];

function overhear(listen: Eavesdropper): Attack['run'] {
  return async (site) => {
    const browser = new BrowserVisitor(site);
    await browser.start();
    const stop = await listen(browser);
    const alice = await phoneOf(site, 'alice');
    const secrets = await approveAndTell(site, { browser, alice });
    const heard = (await stop()).join('\n').replace(/<svg[\s\S]*?<\/svg>/g, '');
    return secrets.find((secret) => new RegExp(`(?<![0-9])${secret}(?![0-9])`, 'i').test(heard));
  };
}

/** Has alice scan and approve. @returns the secrets: her names and id, and the digits that her phone shows */
async function approveAndTell(
  site: Site,
  { browser, alice }: { browser: BrowserVisitor; alice: PhoneVisitor },
): Promise<string[]> {
  const { account } = (await alice.scan(await browser.code())).json();
  const { checkCode } = await alice.approve();
  if (typeof account !== 'string' || typeof checkCode !== 'string')
    throw new Error('the phone is shown no account or no check code');
  return [...account.split(' '), 'alice', await subjectOf(site, 'alice'), checkCode];
}

function serialize({ status, headers, text }: Answer): string {
  return `${status}\n${[...headers].join('\n')}\n${text}`;
}
