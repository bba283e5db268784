import { expect } from 'chai';
import type { QrLoginOptions } from '../../src/index.ts';
import { StillClock } from '../support/clock.ts';
import { type BrowserPerson, PhonePerson, World } from '../support/world.ts';

const HTML = { headers: { accept: 'text/html' } };

/** Returns the heading of a page and the paragraph after it, or the message of an error page. */
function messageOf(page: string): string {
  const [, message] = /<p data-error="[^"]*">([^<]*)</.exec(page) ?? [];
  const [, heading, paragraph] = /<h1>([^<]*)<\/h1>\s*<p>([^<]*)</.exec(page) ?? [];
  return message ?? `${heading}: ${paragraph}`;
}

/** Returns the name of the part of the QR page that is visible. */
function screenOf(page: string): string | undefined {
  return /data-screen="([\w-]+)"/.exec(page)?.[1];
}

interface Scene {
  readonly world: World;
  readonly browser: BrowserPerson;
  readonly phone: PhonePerson;
  readonly clock: StillClock;
}

async function during<T>(qrLogin: Partial<QrLoginOptions>, act: (scene: Scene) => Promise<T>): Promise<T | undefined> {
  const clock = new StillClock();
  let result: T | undefined;
  await World.during({ clock, qrLogin }, async (world) => {
    const { browser, phone } = await world.meet();
    result = await act({ world, browser, phone, clock });
  });
  return result;
}

const scan = async ({ browser, phone }: Scene): Promise<void> => {
  await phone.scan(await browser.code());
};
const typeWrong = async ({ browser, phone }: Scene): Promise<void> => {
  await phone.approve();
  const { checkCode } = (await phone.look()).json();
  for (let tries = 0; tries < 3; tries++) await browser.finish(checkCode === '000000' ? '000001' : '000000');
};

/** Returns a function that scans, and then acts. */
function afterScan(act: (scene: Scene) => unknown): (scene: Scene) => Promise<unknown> {
  return async (scene) => {
    await scan(scene);
    return act(scene);
  };
}

/** The ways in which a sign-in ends, each with the steps that lead to its end. */
const ENDS: Record<string, { options?: Partial<QrLoginOptions>; act: (scene: Scene) => Promise<unknown> }> = {
  'the user has declined': { act: afterScan((scene) => scene.phone.decide('deny')) },
  'the user has reported': { act: afterScan((scene) => scene.phone.decide('report')) },
  'a rule has denied': { options: { assess: () => 'deny' }, act: scan },
  'the user has reported the source before': {
    act: async (scene) => {
      await scan(scene);
      await scene.phone.decide('report');
      await scene.browser.start();
      await scan(scene);
    },
  },
  'the time is up': { act: afterScan((scene) => scene.clock.forward(130)) },
  'the browser shows a new code': {
    act: afterScan((scene) => scene.browser.agent.post(`${scene.browser.at}/qr/renew`, { json: {} })),
  },
  'the browser has cancelled': {
    act: afterScan((scene) => scene.browser.agent.post(`${scene.browser.at}/cancel`, { json: {} })),
  },
  'the number was wrong too often': {
    options: { assess: () => 'check code' },
    act: afterScan(typeWrong),
  },
};

describe('the page of a phone', () => {
  it('shows a different text for each way in which a sign-in ends', async () => {
    const texts = new Map<string, string>();
    for (const [cause, { options = {}, act }] of Object.entries(ENDS)) {
      const text = await during(options, async (scene) => {
        await act(scene);
        return messageOf((await scene.phone.agent.get(scene.phone.at, HTML)).text);
      });
      texts.set(cause, text ?? '');
    }
    expect(new Set(texts.values()), JSON.stringify([...texts], null, 1)).to.have.length(Object.keys(ENDS).length);
  });

  it('shows that the code was already scanned if another device of the account has scanned it', async () => {
    await during({}, async (scene) => {
      const { world, browser, phone } = scene;
      const second = await new PhonePerson(world).signIn();
      const code = await browser.code();
      await second.land(code);
      await phone.scan(code);
      const { csrf } = (await second.land(code)).json();
      const answer = await second.agent.post(code, { form: { csrf: `${csrf}` }, ...HTML });
      expect(answer.status).to.equal(409);
      expect(messageOf(answer.text)).to.include('has scanned this QR code already');
    });
  });
});

describe('the browser', () => {
  it('shows that too many wrong numbers were typed, and not that the sign-in was cancelled', async () => {
    await during({ assess: () => 'check code' }, async (scene) => {
      const { browser, phone } = scene;
      await scan(scene);
      await phone.approve();
      const form = { checkCode: '000000' };
      const { checkCode } = (await phone.look()).json();
      if (checkCode === form.checkCode) form.checkCode = '000001';
      const answers: string[] = [];
      for (let tries = 0; tries < 3; tries++) {
        answers.push(messageOf((await browser.agent.post(`${browser.at}/qr/finish`, { form, ...HTML })).text));
      }
      expect(answers[0]).to.equal(answers[1]).and.not.to.equal(answers[2]);
      expect(answers[2]).to.include('wrong too often');
      expect(await browser.ticket()).to.include({ state: 'cancelled', because: 'check code' });
      expect(screenOf((await browser.agent.get(browser.at, HTML)).text)).to.equal('wrong-codes');
    });
  });

  it('gives the RP the same error for each reason of a denial', async () => {
    for (const cause of ['the user has declined', 'the user has reported', 'a rule has denied']) {
      const { options = {}, act } = ENDS[cause] ?? { act: scan };
      await during(options, async (scene) => {
        await act(scene);
        const { browser } = scene;
        const arrived = await browser.arrive();
        expect(arrived.searchParams.get('error'), cause).to.equal('access_denied');
        expect(arrived.searchParams.get('error_description'), cause).to.equal('The sign-in was not approved.');
      });
    }
  });
});
