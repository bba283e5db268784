import { expect } from 'chai';
import { BrowserPerson, PhonePerson, World } from '../../support/world.ts';
import { prove } from '../attack.ts';
import { attacks } from './risk.ts';

prove('sign-ins that were refused or reported', attacks);

const HOUR_MS = 60 * 60 * 1000;

describe('an assessment', () => {
  it('blocks the sign-in until it answers', async () => {
    let ask: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      ask = resolve;
    });
    let answer: (verdict: 'deny') => void = () => undefined;
    const answered = new Promise<'deny'>((resolve) => {
      answer = resolve;
    });
    const assess = (): Promise<'deny'> => {
      ask();
      return answered;
    };
    await World.during({ qrLogin: { assess } }, async (world) => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      const { csrf } = (await phone.land(code)).json();
      const impatient = new AbortController();
      const scan = phone.agent.post(code, { json: { csrf }, signal: impatient.signal }).catch(() => 'gave up');
      await asked;
      expect((await browser.ticket()).state).to.equal('waiting');
      expect((await browser.finish()).status).to.equal(409);
      impatient.abort();
      expect(await scan).to.equal('gave up');
      // The server waits for its requests when it closes.
      answer('deny');
    });
  });

  it('makes the scan fail if it throws or returns nonsense', async () => {
    const breaks = [
      () => {
        throw new Error('the risk engine is out of reach');
      },
      () => 'maybe' as never,
    ];
    for (const assess of breaks) {
      const extend = ({ app }: { app: { silent: boolean } }): void => {
        app.silent = true;
      };
      await World.during({ qrLogin: { assess }, extend }, async (world) => {
        const { browser, phone } = await world.meet();
        expect((await phone.scan(await browser.code())).status).to.equal(500);
        expect((await browser.ticket()).state).to.equal('waiting');
      });
    }
  });
});

describe('a sign-in that the deployment refuses', () => {
  it('is shown on the phone in neutral words, and without the reason in the browser', async () => {
    await World.during({ qrLogin: { assess: () => 'deny' } }, async (world) => {
      const denied = world.collectPayloads('qr_login.denied');
      const { browser, phone } = await world.meet();
      expect((await phone.scan(await browser.code())).status).to.equal(200);
      expect((await phone.look()).json()).to.include({ state: 'denied', because: 'risk' });
      const page = await phone.agent.get(phone.at, { headers: { accept: 'text/html' } });
      expect(page.status).to.equal(200);
      expect(page.text).not.to.match(/risk|fraud|attack/i);
      expect(denied).to.have.length(1);
      expect(denied[0]).to.include({ because: 'risk', accountId: 'a11ce' });
      const texts = [JSON.stringify(await browser.ticket()), (await browser.agent.get(browser.at)).text];
      expect(texts.join()).not.to.match(/risk|a11ce|Alice/);
    });
  });
});

describe('a report', () => {
  it('blocks the source for an hour, and writes neither account nor address into the store', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      const before = Date.now();
      await phone.decide('report');
      const after = Date.now();
      const notes = await notesIn(world);
      expect(notes).to.have.length(1);
      const [{ key, expires } = { key: '', expires: 0 }] = notes;
      expect(expires).to.be.within(before + HOUR_MS, after + HOUR_MS);
      expect(key).not.to.match(/a11ce|127\.0\.0\.1|::1/);
    });
  });

  it('applies to the reporting account: other accounts may still approve browsers at that address', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
      await phone.decide('report');
      const other = new BrowserPerson(world);
      await other.start();
      const bob = await new PhonePerson(world).signIn('bob');
      await bob.scan(await other.code());
      await bob.approve();
      expect((await other.tokens(await other.arrive())).claims()?.sub).to.equal('b0b');
    });
  });
});

async function notesIn({ store }: World): Promise<{ key: string; expires: number }[]> {
  const { iterator } = store;
  if (iterator === undefined) throw new Error('this store cannot be listed');
  const notes: { key: string; expires: number }[] = [];
  for await (const [key] of iterator.call(store, undefined)) {
    const raw = await store.get(key, { raw: true });
    if (`${key}`.startsWith('note:')) notes.push({ key: `${key}`, expires: raw?.expires ?? 0 });
  }
  return notes;
}
