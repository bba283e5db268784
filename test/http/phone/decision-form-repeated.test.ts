import { expect } from 'chai';
import type { QrLoginOptions } from '../../../src/index.ts';
import type { Answer } from '../../support/agent.ts';
import { StillClock } from '../../support/clock.ts';
import { type BrowserPerson, type PhonePerson, World } from '../../support/world.ts';

const HTML = { headers: { accept: 'text/html' } };

interface ScannedSignIn {
  readonly world: World;
  readonly browser: BrowserPerson;
  readonly phone: PhonePerson;
  readonly code: string;
}

/** Scans and then runs the act, on a server whose clock stands still. */
async function afterScan(act: (scanned: ScannedSignIn) => Promise<void>, qrLogin: Partial<QrLoginOptions> = {}) {
  await World.during({ clock: new StillClock(), qrLogin }, async (world) => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    await phone.scan(code);
    await act({ world, browser, phone, code });
  });
}

function submit(phone: PhonePerson, decision: string): Promise<Answer> {
  return phone.agent.post(phone.at, { form: { csrf: phone.csrf, decision }, ...HTML });
}

describe('a repeated act of the phone', () => {
  for (const decision of ['approve', 'deny'] as const) {
    it(`gets the same answer, with one event and one assessment: ${decision}`, async () => {
      let assessments = 0;
      const assess = () => {
        assessments += 1;
        return 'check code' as const;
      };
      await afterScan(
        async ({ world, phone }) => {
          const before = assessments;
          const counts = [world.count('qr_login.approved'), world.count('qr_login.denied')];
          const first = await phone.decide(decision);
          expect(first.status).to.equal(200);
          const asked = assessments - before;
          const again = await phone.decide(decision);
          expect([again.status, again.text]).to.deep.equal([first.status, first.text]);
          expect(first.json().checkCode === undefined).to.equal(decision === 'deny');
          const form = await submit(phone, decision);
          expect([form.status, new URL(form.location, phone.at).href]).to.deep.equal([303, phone.at]);
          expect(counts.reduce((sum, count) => sum + count(), 0)).to.equal(1);
          expect(assessments - before).to.equal(asked);
        },
        { assess },
      );
    });
  }

  it('does not count against the limits of the account', async () => {
    await afterScan(
      async ({ phone, code }) => {
        for (let times = 0; times < 5; times++) {
          expect((await phone.agent.post(code, { json: { csrf: phone.csrf } })).status).to.equal(200);
          expect((await phone.approve()).status).to.equal(200);
        }
        expect((await phone.deny()).status).to.equal(409);
        expect((await phone.deny()).status).to.equal(429);
      },
      // `afterScan` also opens the landing page and the page of the ticket, which count once each.
      { limits: { account: { scan: 2, decide: 3 } } },
    );
  });

  it('is not checked by the guard again', async () => {
    let proofs = 0;
    const guard: QrLoginOptions['guard'] = {
      challenge: () => ({ question: 'What is your PIN?' }),
      verify: () => {
        proofs += 1;
        return { amr: ['pin'] };
      },
    };
    await afterScan(
      async ({ phone }) => {
        expect((await phone.approve({ proof: '1234' })).status).to.equal(200);
        expect((await phone.approve({ proof: '1234' })).status).to.equal(200);
        expect(proofs).to.equal(1);
      },
      { guard },
    );
  });

  it('leads to the page of the ticket in each state, if the act is a scan', async () => {
    await afterScan(async ({ browser, phone, code }) => {
      const scanAgain = (): Promise<Answer> => phone.agent.post(code, { form: { csrf: phone.csrf }, ...HTML });
      const steps = [() => phone.approve(), () => browser.finish(), () => phone.decide('report')];
      for (const step of steps) {
        await step();
        const { status, location } = await scanAgain();
        expect([status, new URL(location, code).href]).to.deep.equal([303, phone.at]);
      }
    });
  });

  it('is answered with the state "redeemed" once the browser has finished, if the act is Approve', async () => {
    await afterScan(async ({ browser, phone }) => {
      await phone.approve();
      await browser.finish();
      expect((await phone.approve()).json()).to.include({ state: 'redeemed' });
      expect((await submit(phone, 'approve')).status).to.equal(303);
    });
  });

  it('gets the same page each time, if the act is a report after the browser has finished', async () => {
    await afterScan(async ({ world, browser, phone }) => {
      await phone.approve();
      await browser.arrive();
      const first = await submit(phone, 'report');
      const again = await submit(phone, 'report');
      expect([again.status, again.text]).to.deep.equal([200, first.text]);
      expect((await phone.agent.get(phone.at, HTML)).text).to.equal(first.text);
      expect((await phone.approve()).json()).to.include({ error: 'wrong_state', state: 'denied' });
      world.clock.forward(121);
      for (let times = 0; times < 2; times++) expect((await phone.decide('report')).status).to.equal(200);
    });
  });
});

describe('a decision of the phone that contradicts an earlier one', () => {
  const CASES = [
    { first: 'approve', second: 'deny', state: 'approved', text: 'You have approved this sign-in already.' },
    { first: 'deny', second: 'approve', state: 'denied', text: 'You have declined this sign-in already.' },
    { first: 'report', second: 'approve', state: 'denied', text: 'You have declined this sign-in already.' },
  ];
  for (const { first, second, state, text } of CASES) {
    it(`is refused with a link to the ticket: ${second} after ${first}`, async () => {
      await afterScan(async ({ phone }) => {
        await phone.decide(first);
        const page = await submit(phone, second);
        expect(page.status).to.equal(409);
        expect(page.text).to.include(text);
        const [, link = 'none'] = /href="([^"]*)">Back to the sign-in/.exec(page.text) ?? [];
        expect(new URL(link, phone.at).href).to.equal(phone.at);
        const answer = await phone.decide(second);
        expect(answer.status).to.equal(409);
        expect(answer.json()).to.include({ error: 'wrong_state', reason: state, state });
      });
    });
  }

  it('is accepted if it is a report after Approve', async () => {
    await afterScan(async ({ browser, phone }) => {
      await phone.approve();
      expect((await phone.decide('report')).json()).to.include({ state: 'denied', because: 'report' });
      expect((await browser.ticket()).state).to.equal('denied');
    });
  });
});

describe('a browser whose code another user has scanned', () => {
  it('offers to show a new code, even without a script', async () => {
    await afterScan(async ({ browser, phone }) => {
      const page = await browser.agent.get(browser.at, HTML);
      const [form = ''] = /<form data-renew .*?<\/form>/s.exec(page.text) ?? [];
      expect(form).to.match(/^<form data-renew [^>]*data-when="scanned [^>]*"\s*>/);
      expect(form.replace(/<[^>]*>/g, '').trim()).to.equal('Not you? Show a new QR code');
      const [, version = ''] = /name="version" value="(\d+)"/.exec(form) ?? [];
      const answer = await browser.agent.post(`${browser.at}/qr/renew`, { form: { version }, ...HTML });
      expect(answer.status).to.equal(303);
      expect((await browser.ticket()).state).to.equal('waiting');
      const told = await phone.look();
      expect([told.status, told.json().reason]).to.deep.equal([410, 'renewed']);
    });
  });
});
