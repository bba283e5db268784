import { expect } from 'chai';
import type { RiskContext } from '../../../src/index.ts';
import { BrowserPerson, PhonePerson, World, type WorldOptions } from '../../support/world.ts';

const BROWSER_ADDRESS = '203.0.113.7';
const PHONE_ADDRESS = '198.51.100.9';

describe('the place of the browser on the phone', () => {
  it('is shown as a hint, with the country in the language of the page', async () => {
    const { phone } = await meetBehindProxy({ qrLogin: { locate: () => ({ country: 'DE', city: 'Berlin' }) } });
    expect((await phone.look()).json().browser).to.deep.include({ place: { country: 'DE', city: 'Berlin' } });
    expect(await pageOf(phone))
      .to.include('Berlin, Germany')
      .and.to.include('The device and the place are estimates');
    expect(await pageOf(phone, 'zh')).to.include('德国 Berlin');
  });

  it('is not shown if it is not known', async () => {
    const { phone } = await meetBehindProxy({});
    expect((await phone.look()).json().browser).not.to.have.property('place');
    expect(await pageOf(phone)).not.to.include('roughly');
  });

  it('is not looked up if the address is not certain', async () => {
    const asked: string[] = [];
    await World.during({ qrLogin: { locate: (address) => void asked.push(address) } }, async (world) => {
      const { browser, phone } = await world.meet();
      await phone.scan(await browser.code());
    });
    expect(asked).to.deep.equal([]);
  });

  it('is passed to assess(), as is the place of the phone', async () => {
    const contexts: RiskContext[] = [];
    await meetBehindProxy({
      qrLogin: {
        locate: (address) => ({ city: address === PHONE_ADDRESS ? 'Cologne' : 'Berlin' }),
        assess: (context) => {
          contexts.push(context);
          return 'allow';
        },
      },
    });
    expect(contexts[0]?.browser).to.deep.include({ address: BROWSER_ADDRESS, place: { city: 'Berlin' } });
    expect(contexts[0]?.phone).to.deep.include({ address: PHONE_ADDRESS, place: { city: 'Cologne' } });
    expect(contexts[0]?.browser.userAgent).to.include('Windows NT 10.0');
  });

  for (const [kind, locate] of [
    ['rejects', () => Promise.reject(new Error('the database is gone'))],
    ['throws', () => broken()],
    ['does not answer', () => new Promise<undefined>(() => undefined)],
  ] as const) {
    it(`is missing, with a warning, if locate() ${kind}, and the sign-in continues`, async () => {
      const warned = new Promise((resolve) => process.once('warning', resolve));
      const { phone } = await meetBehindProxy({ qrLogin: { locate } });
      expect((await phone.look()).json()).to.deep.include({ state: 'scanned' });
      expect(await warned).to.include({ code: 'QR_LOGIN_LOCATE' });
    });
  }

  it('is cut to a readable length, and its markup is escaped', async () => {
    const long = `<b>${'x'.repeat(500)}`;
    const { phone } = await meetBehindProxy({ qrLogin: { locate: () => ({ country: 'Germany', city: long }) } });
    expect((await phone.look()).json().browser).to.deep.include({ place: { city: `${long.slice(0, 79)}…` } });
    expect(await pageOf(phone))
      .to.include('&lt;b&gt;xxx')
      .and.not.to.include('<b>x');
  });
});

function broken(): never {
  throw new Error('the database is broken');
}

let world: World | undefined;

afterEach(async () => {
  await world?.stop();
  world = undefined;
});

/** Returns a browser and a phone behind a proxy that passes on their addresses. The phone has scanned. */
async function meetBehindProxy(options: WorldOptions): Promise<{ browser: BrowserPerson; phone: PhonePerson }> {
  world = await World.start({ ...options, proxy: true });
  const browser = new BrowserPerson(world, { 'x-forwarded-for': BROWSER_ADDRESS });
  const phone = await new PhonePerson(world, { 'x-forwarded-for': PHONE_ADDRESS }).signIn();
  await browser.start();
  await phone.scan(await browser.code());
  return { browser, phone };
}

async function pageOf(phone: PhonePerson, language = 'en'): Promise<string> {
  return (await phone.agent.get(phone.at, { headers: { accept: 'text/html', 'accept-language': language } })).text;
}
