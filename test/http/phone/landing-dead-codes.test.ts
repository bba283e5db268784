import { expect } from 'chai';
import type { QrLoginOptions } from '../../../src/index.ts';
import { QrLoginError } from '../../../src/ticket/errors.ts';
import type { Fixture } from '../../fixtures/provider.ts';
import { replacing } from '../../security/attack.ts';
import { idIn } from '../../support/codes.ts';
import { type BrowserPerson, PhonePerson, World } from '../../support/world.ts';

interface ScannedSignIn {
  readonly browser: BrowserPerson;
  readonly phone: PhonePerson;
}

interface Death {
  readonly kill: (world: World, scanned: ScannedSignIn) => Promise<unknown>;
  /** The statuses that the phone gets when, after its scan, it scans again, approves and denies. */
  readonly answers: readonly number[];
}

const OVER = [410, 410, 410];

/** Steps that invalidate a code after a phone has opened or scanned it. */
const DEATHS: Record<string, Death> = {
  used: {
    kill: async (_world, { browser, phone }) => {
      await phone.approve();
      await browser.finish();
    },
    answers: [200, 200, 409],
  },
  denied: { kill: (_world, { phone }) => phone.deny(), answers: [200, 409, 200] },
  'cancelled by the browser': {
    kill: (_world, { browser }) => browser.agent.post(`${browser.at}/cancel`, { json: {} }),
    answers: OVER,
  },
  renewed: { kill: (_world, { browser }) => browser.agent.post(`${browser.at}/qr/renew`, { json: {} }), answers: OVER },
  expired: { kill: async (world) => world.clock.forward(121), answers: OVER },
};

describe('a code', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  for (const [dead, { kill, answers }] of Object.entries(DEATHS)) {
    it(`cannot be scanned, decided or finished once it is ${dead}, and a repeated act changes nothing`, async () => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      const other = await new PhonePerson(world).signIn('bob');
      const csrf = String((await other.land(code)).json().csrf);
      await phone.scan(code);
      await kill(world, { browser, phone });
      const { expiresIn: _before, qr: _qr, ...before } = await browser.ticket();

      const headers = { accept: 'application/json' };
      expect((await other.agent.post(code, { headers, json: { csrf } })).status).to.equal(404);
      expect((await other.agent.post(phone.at, { headers, json: { csrf, decision: 'approve' } })).status).to.equal(404);
      const scannedAgain = await phone.agent.post(code, { headers, json: { csrf: phone.csrf } });
      const acts = [scannedAgain, await phone.approve(), await phone.deny()];
      expect(acts.map(({ status }) => status)).to.deep.equal(answers);

      const { expiresIn: _after, qr: _new, ...after } = await browser.ticket();
      expect(after).to.deep.equal(before);
      const finished = await browser.finish();
      if (dead === 'used') return;
      if (finished.status !== 200) return expect(finished.status).to.be.within(409, 410);
      const { location } = await browser.goOn(String(finished.json().redirectTo));
      expect(new URL(location).searchParams.get('error')).to.equal('access_denied');
    });
  }

  it('is not found if it expired before a scan', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    const csrf = String((await phone.land(code)).json().csrf);
    world.clock.forward(121);
    const answer = await phone.agent.post(code, { headers: { accept: 'application/json' }, json: { csrf } });
    expect(answer.status).to.equal(404);
  });

  it('stays valid for a phone that opened it while the session could not be read', async () => {
    let isDown = false;
    const extend = ({ provider }: Fixture): void => {
      const sessions: { find(id: string): Promise<unknown> } = provider.Session;
      replacing(sessions, 'find', (find) => async (id) => {
        if (isDown) throw new QrLoginError('store_unavailable', 'down');
        return find.call(sessions, id);
      })();
    };
    await World.during({ extend }, async (other) => {
      const { browser, phone } = await other.meet();
      const code = await browser.code();
      isDown = true;
      expect((await phone.land(code)).status).to.equal(503);
      isDown = false;
      other.clock.forward(31);
      expect((await phone.land(code)).status).to.equal(200);
    });
  });

  it('is not found if it is malformed, and no function of the deployment is called', async () => {
    let calls = 0;
    const assurance: NonNullable<QrLoginOptions['assurance']> = (onPhone) => {
      calls += 1;
      return onPhone;
    };
    await World.during({ qrLogin: { assurance } }, async (other) => {
      const { phone } = await other.meet();
      expect((await phone.land(`${other.issuer}/qr/nonsense`)).status).to.equal(404);
      expect((await phone.agent.post(`${other.issuer}/qr/scan`, { json: { shortCode: 'x' } })).status).to.equal(404);
      expect(calls).to.equal(0);
    });
  });

  it('is not found once it has rotated out', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    world.clock.forward(31);
    expect((await phone.scan(code)).status).to.equal(404);
    expect((await browser.ticket()).state).to.equal('waiting');
  });

  it('is not found once it has rotated out, even with a forged cookie that says that the phone has opened it', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    const id = idIn(code);
    world.clock.forward(60);
    const note = `_qr_seen=${id}.${world.clock.now() + 60_000}`;
    await phone.agent.jar.setCookie(`${note}; path=/qr`, world.issuer);
    await phone.agent.jar.setCookie(`_qr_seen.sig=${'A'.repeat(27)}; path=/qr`, world.issuer);
    expect((await phone.land(code)).status).to.equal(404);
  });

  it('is not found once it has rotated out, even with the cookie of a phone that has opened the code of another ticket', async () => {
    const one = await world.meet();
    const two = await world.meet();
    await one.phone.land(await one.browser.code());
    const code = await two.browser.code();
    world.clock.forward(60);
    expect((await one.phone.land(code)).status).to.equal(404);
  });
});
