import { Codes } from '../../../src/ticket/codes/code.ts';
import type { Ticket } from '../../../src/ticket/ticket.ts';
import { TestClock } from '../../support/clock.ts';
import type { WorldOptions } from '../../support/world.ts';
import { type Attack, prove, replacing } from '../attack.ts';
import { accountAt, expectStatus, goOn, openQrPage, scanAndApprove, scanOnPhone, signInPhone } from '../scene.ts';
import { all, browserFinds, phoneFinds } from '../weaknesses.ts';
import { attacks } from './codes.ts';

prove('codes of tickets that have ended or never existed', attacks);

/** The clock of the server, which only a test can move. */
const clock = new TestClock();
const on: WorldOptions = { qrLogin: { clock: clock.now } };

/** Makes a ticket last as long as its interaction. */
const endless = (ticket: Ticket): Ticket => ({ ...ticket, deadline: ticket.endsAt });
const withoutDeadlines = {
  defence: 'deadlines',
  patch: all(phoneFinds(endless), browserFinds(endless)),
};

const inTime: Attack[] = [
  {
    row: 3,
    name: 'claims a ticket with a code that has rotated out',
    on,
    run: async (site) => {
      const [victim, phone] = await Promise.all([openQrPage(site), signInPhone(site, 'bob')]);
      const code = await victim.code();
      clock.forward(31);
      const { status, text } = await phone.scan(code);
      return status === 200 ? text : undefined;
    },
    without: { defence: 'codes that rotate', patch: replacing(Codes.prototype, 'isFresh', () => () => true) },
  },
  {
    row: 3,
    name: 'claims an expired ticket after opening its code in time',
    on,
    run: async (site) => {
      const [victim, phone] = await Promise.all([openQrPage(site), signInPhone(site, 'bob')]);
      const code = await victim.code();
      expectStatus(await phone.look(code), 200, 'the landing page');
      clock.forward(121);
      const { status, text } = await phone.scan(code);
      return status === 200 ? text : undefined;
    },
    without: withoutDeadlines,
  },
  {
    row: 3,
    name: 'keeps a code alive by opening it again and again',
    on,
    run: async (site) => {
      const [victim, phone] = await Promise.all([openQrPage(site), signInPhone(site, 'bob')]);
      const code = await victim.code();
      for (let minutes = 0; minutes < 3; minutes++) {
        expectStatus(await phone.look(code), 200, 'the landing page');
        clock.forward(60);
      }
      const { status, text } = await phone.scan(code);
      return status === 200 ? text : undefined;
    },
    without: withoutDeadlines,
  },
  {
    row: 3,
    name: 'looks at, approves or denies a ticket after the deadline to decide',
    on,
    run: async (site) => {
      const { phone } = await scanOnPhone(site);
      clock.forward(121);
      const answers = [await phone.look(), await phone.decide('approve'), await phone.decide('deny')];
      return answers.find(({ status }) => status === 200)?.text;
    },
    without: withoutDeadlines,
  },
  {
    row: 3,
    name: 'finishes after the deadline to finish',
    on,
    run: async (site) => {
      const { browser, checkCode } = await scanAndApprove(site);
      clock.forward(121);
      const answer = await browser.finish(checkCode);
      if (answer.status === 200) await goOn(browser, answer.json().redirectTo);
      const account = await accountAt(site, browser.agent);
      return account && `the session of ${account}`;
    },
    without: withoutDeadlines,
  },
];

prove('attacks after a code or a ticket has expired', inTime);
