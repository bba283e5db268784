import { expect } from 'chai';
import { MeetingAdapter } from '../../support/meeting-adapter.ts';
import { OwnRecords } from '../../support/own-records.ts';
import { type BrowserPerson, PhonePerson, RP_CALLBACK, World, type WorldOptions } from '../../support/world.ts';

const JSON_ONLY = { accept: 'application/json' };

interface FinishedSignIn {
  readonly browser: BrowserPerson;
  /** The URL that resumes the sign-in. */
  readonly url: string;
}

async function finishSignIn(world: World, parameters: Record<string, string> = {}): Promise<FinishedSignIn> {
  const { browser, phone } = await world.meet('alice', parameters);
  await phone.scan(await browser.code());
  await phone.approve();
  return { browser, url: String((await browser.finish()).json().redirectTo) };
}

/** Resumes a sign-in, and consents. @returns the browser, and the URL that resumes the sign-in after the consent */
async function giveConsent(world: World): Promise<FinishedSignIn> {
  const { browser, url } = await finishSignIn(world);
  const page = await browser.goOn(url);
  return { browser, url: String((await browser.agent.post(`${page.url}/consent`, { json: {} })).json().redirectTo) };
}

async function subjectAfter(browser: BrowserPerson, location: string): Promise<string | undefined> {
  const arrived = location.startsWith(RP_CALLBACK) ? new URL(location) : await browser.arriveFrom(location);
  return (await browser.tokens(arrived)).claims()?.sub;
}

/** Runs an act as if this time had passed. */
async function later<T>(milliseconds: number, act: () => Promise<T>): Promise<T> {
  const { now } = Date;
  Date.now = () => now() + milliseconds;
  try {
    return await act();
  } finally {
    Date.now = now;
  }
}

/** Saves the browser's cookies. @returns a function that restores them */
async function keepCookies({ agent: { jar } }: BrowserPerson): Promise<() => Promise<void>> {
  const kept = await jar.store.getAllCookies();
  return async () => {
    await jar.removeAllCookies();
    for (const cookie of kept) await jar.store.putCookie(cookie);
  };
}

function worldWith({ adapter }: OwnRecords): WorldOptions {
  return {
    configuration: { adapter },
    extend: ({ provider }) => {
      // Keep Koa from printing the errors of the adapter.
      provider.silent = true;
    },
  };
}

/**
 * Resumes a sign-in while the access with the number `at` fails. After an error, continues with the same URL.
 * @returns false if the request makes fewer accesses than that
 */
async function failOnce(
  world: World,
  records: OwnRecords,
  bring: (world: World) => Promise<FinishedSignIn>,
  { at, isDoneAnyway }: { readonly at: number; readonly isDoneAnyway: boolean },
): Promise<boolean> {
  const { browser, url } = await bring(world);
  records.failAt(at, isDoneAnyway);
  const answer = await browser.agent.get(url);
  const hasFailed = records.heal();
  if (answer.status >= 500) expect(answer.headers.getSetCookie(), `access ${at}`).to.deep.equal([]);
  else expect(answer.status, `access ${at}: ${answer.text}`).to.equal(303);
  const next = answer.status >= 500 ? url : new URL(answer.location, url).href;
  expect(await subjectAfter(browser, next), `access ${at}`).to.equal('a11ce');
  return hasFailed;
}

describe("the URL that resumes a sign-in, over a deployment's own adapter", () => {
  for (const [which, bring] of Object.entries({ 'after the finish': finishSignIn, 'after a consent': giveConsent })) {
    for (const isDoneAnyway of [false, true]) {
      const how = isDoneAnyway ? 'fails after it had its effect' : 'fails without effect';
      it(`works again ${which} if any single access ${how}`, async () => {
        const records = new OwnRecords();
        await World.during(worldWith(records), async (world) => {
          let at = 1;
          while (await failOnce(world, records, bring, { at, isDoneAnyway })) at += 1;
          expect(at).to.be.greaterThan(5);
        });
      });
    }
  }

  it('works again, for less than ten seconds, for a browser that did not get the answer', async () => {
    await World.during(worldWith(new OwnRecords()), async (world) => {
      const { browser, url } = await giveConsent(world);
      const loseAnswer = await keepCookies(browser);
      expect((await browser.agent.get(url)).status).to.equal(303);
      await loseAnswer();
      expect((await later(8_000, () => browser.agent.get(url))).status).to.equal(303);
      await loseAnswer();
      expect((await later(10_000, () => browser.agent.get(url))).status).to.equal(400);
    });
  });
});

describe('the URL that resumes a sign-in, if it is requested several times', () => {
  it('announces the sign-in when a request succeeds, and not when one fails', async () => {
    const records = new OwnRecords();
    const signIns: unknown[] = [];
    const onSignIn = (): void => void signIns.push('a sign-in');
    await World.during({ ...worldWith(records), qrLogin: { onSignIn } }, async (world) => {
      const { browser, url } = await finishSignIn(world);
      // The last accesses write the session and end the interaction.
      for (let at = 5; signIns.length === 0; at++) {
        records.failAt(at, true);
        const { status } = await browser.agent.get(url);
        records.heal();
        expect(signIns.length).to.equal(status === 303 ? 1 : 0);
      }
    });
  });

  it('does nothing more for the browser that got the answer', async () => {
    await World.during({}, async (world) => {
      const { browser, url } = await finishSignIn(world);
      const { location } = await browser.agent.get(url);
      expect((await browser.agent.get(url)).status).to.equal(400);
      expect((await browser.agent.get(browser.at, { headers: { accept: 'text/html' } })).status).to.equal(404);
      expect(await subjectAfter(browser, new URL(location, url).href)).to.equal('a11ce');
    });
  });

  it('keeps the session of the browser under one id only', async () => {
    await World.during({}, async (world) => {
      const { browser, url } = await giveConsent(world);
      const loseAnswer = await keepCookies(browser);
      await browser.agent.get(url);
      expect(await world.sessionOf(browser.agent)).to.have.property('accountId', 'a11ce');
      await loseAnswer();
      expect(await world.sessionOf(browser.agent)).to.equal(undefined);
    });
  });

  it('leaves one session if it was requested several times at the same time, and a remote sign-out ends this session', async () => {
    const meeting = new MeetingAdapter('Session');
    await World.during({ configuration: { adapter: meeting.adapter } }, async (world) => {
      const { browser, url } = await giveConsent(world);
      const loseAnswer = await keepCookies(browser);
      meeting.meet(3);
      const headers = { cookie: await browser.agent.jar.getCookieString(url) };
      const answers = await Promise.all([1, 2, 3].map(() => fetch(url, { headers, redirect: 'manual' })));
      const devices = `${world.issuer}/qr/devices`;
      const phone = await new PhonePerson(world).signIn();
      const { csrf } = (await phone.agent.get(devices, { headers: JSON_ONLY })).json();
      await phone.agent.post(devices, { headers: JSON_ONLY, json: { csrf: `${csrf}`, end: 'all' } });
      for (const answer of answers) {
        expect(answer.status).to.equal(303);
        await loseAnswer();
        for (const cookie of answer.headers.getSetCookie()) await browser.agent.jar.setCookie(cookie, url);
        expect(await world.sessionOf(browser.agent)).to.equal(undefined);
      }
    });
  });
});
