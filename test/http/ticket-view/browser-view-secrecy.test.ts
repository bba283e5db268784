import { expect } from 'chai';
import { Agent, type Answer, type RequestOptions } from '../../support/agent.ts';
import { CODE_LENGTH, codeIn } from '../../support/codes.ts';
import { type BrowserPerson, World } from '../../support/world.ts';

/** Returns a list that collects every answer to the browser from now on. */
function recordAnswers({ agent }: BrowserPerson): string[] {
  const answers: string[] = [];
  const send = agent.send.bind(agent);
  agent.send = async (url: string | URL, sent: RequestOptions): Promise<Answer> => {
    const answer = await send(url, sent);
    answers.push([...answer.headers].join('\n'), answer.text);
    return answer;
  };
  return answers;
}

describe('before the browser is signed in,', () => {
  let world: World;

  before(async () => {
    world = await World.start({ qrLogin: { assess: () => 'check code' } });
  });

  after(() => world?.stop());

  /** Reads the page and the ticket in several forms, and tries to consent and to finish. */
  const lookAround = async (browser: BrowserPerson): Promise<void> => {
    await browser.agent.get(browser.at);
    await browser.agent.get(browser.at, { headers: { accept: 'application/json' } });
    await browser.ticket();
    await browser.after(0);
    await browser.agent.post(`${browser.at}/consent`, { json: {} });
    await browser.agent.post(`${browser.at}/qr/finish`, { json: {} });
  };
  const read = async (browser: BrowserPerson): Promise<string> => {
    const stream = await browser.agent.stream(`${browser.at}/qr/events`);
    const ticket = await stream.ticket();
    stream.close();
    return JSON.stringify(ticket);
  };

  it("no answer to the browser contains account data, the check code, the phone's secrets, or the ticket's id outside the QR code, in any state", async () => {
    const { browser, phone } = await world.meet();
    const answers = recordAnswers(browser);
    const states: unknown[] = [];
    const look = async (): Promise<void> => {
      states.push((await browser.ticket()).state);
      answers.push(await read(browser));
      await lookAround(browser);
    };
    const session = await world.provider.Session.find(await cookieOf(phone.agent, world.issuer, '_session'));

    await look();
    const code = await browser.code();
    await phone.scan(code);
    await look();
    const checkCode = String((await phone.approve()).json().checkCode);
    await browser.finish('000000');
    await look();
    world.clock.forward(121);
    await look();
    await browser.agent.post(`${browser.at}/qr/renew`, { json: {} });
    await phone.scan(await browser.code());
    await phone.deny();
    await lookAround(browser);
    expect(states).to.deep.equal(['waiting', 'scanned', 'approved', 'expired']);

    const everything = withoutCodes(answers.join('\n'));
    const id = phone.at.split('/').at(-1);
    const secrets = [
      'a11ce',
      'alice',
      'Alice',
      'Liddell',
      'example.com',
      checkCode,
      id,
      phone.csrf,
      session?.uid,
      session?.jti,
    ];
    for (const secret of secrets) {
      expect(secret).to.be.a('string').and.not.equal('');
      expect(everything.includes(String(secret)), String(secret)).to.equal(false);
    }
  });

  it('the code does not contain the uid of the interaction', async () => {
    const { browser } = await world.meet();
    const code = await browser.code();
    expect(code).not.to.include(browser.uid);
    expect(Buffer.from(codeIn(code), 'base64url').toString('latin1')).not.to.include(browser.uid);
    const { qr } = (await browser.ticket()) as { qr: { svg: string } };
    expect(qr.svg).not.to.include(browser.uid);
  });

  it('the phone learns neither the uid of the interaction nor the binding cookie', async () => {
    const { browser, phone } = await world.meet();
    const answers: string[] = [];
    const send = phone.agent.send.bind(phone.agent);
    phone.agent.send = async (url, sent) => {
      const answer = await send(url, sent);
      answers.push([...answer.headers].join('\n'), answer.text);
      return answer;
    };
    await phone.agent.get(await browser.code());
    await phone.scan(await browser.code());
    await phone.agent.get(phone.at);
    await phone.approve();
    await phone.agent.get(phone.at);
    const binding = await cookieOf(browser.agent, browser.at, '_qr_browser');
    for (const secret of [browser.uid, binding]) expect(answers.join('\n').includes(secret), secret).to.equal(false);
  });

  it('the URL in the code comes from the issuer, even if headers name another host', async () => {
    await World.during({ proxy: true }, async (other) => {
      const { browser } = await other.meet();
      const headers = {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        forwarded: 'host=evil.example',
        'x-forwarded-prefix': '/evil',
      };
      for (const path of ['', '/qr']) {
        const answer = await new Agent().get(browser.at + path, {
          headers: { ...headers, cookie: await browser.agent.jar.getCookieString(browser.at) },
        });
        expect(answer.status).to.equal(200);
        expect(answer.text + [...answer.headers].join()).not.to.include('evil');
      }
      expect((await browser.code()).startsWith(`${other.issuer}/qr/`)).to.equal(true);
    });
  });

  it('the store contains no usable secret', async () => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    await phone.scan(code);
    const checkCode = String((await phone.approve()).json().checkCode);
    const id = phone.at.split('/').at(-1);
    const stored = JSON.stringify(await world.store.get(`ticket:${id}`));
    expect(stored).to.include(browser.uid);
    const binding = await cookieOf(browser.agent, browser.at, '_qr_browser');
    for (const secret of [codeIn(code), checkCode, binding, phone.csrf]) {
      expect(stored.includes(secret), secret).to.equal(false);
    }
  });
});

async function cookieOf({ jar }: Agent, at: string, name: string): Promise<string> {
  const cookie = (await jar.getCookies(at)).find(({ key }) => key === name);
  if (cookie === undefined) throw new Error(`there is no cookie ${name}`);
  return cookie.value;
}

/** Removes the URLs of codes, which must contain the ticket's id, and the images, which cannot contain it as text. */
function withoutCodes(text: string): string {
  return text.replace(new RegExp(`/qr/[\\w-]{${CODE_LENGTH}}`, 'g'), '/qr/').replace(/<svg[\s\S]*?<\/svg>/g, '');
}
