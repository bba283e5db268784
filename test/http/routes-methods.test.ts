import { expect } from 'chai';
import { World } from '../support/world.ts';

describe('a method that a URL does not have', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  /** Returns each URL with the methods that it has. */
  const urls = async (): Promise<[string, string][]> => {
    const { browser, phone } = await world.meet();
    const code = await browser.code();
    await phone.scan(code);
    const { issuer } = world;
    return [
      [browser.at, 'GET, HEAD'],
      [`${browser.at}/qr`, 'GET, HEAD'],
      [`${browser.at}/qr/events`, 'GET, HEAD'],
      [`${browser.at}/qr/renew`, 'POST'],
      [`${browser.at}/qr/finish`, 'POST'],
      [`${browser.at}/qr/key`, 'POST'],
      [`${browser.at}/qr/passkey`, 'GET, HEAD, POST'],
      [`${browser.at}/consent`, 'POST'],
      [`${browser.at}/cancel`, 'POST'],
      [`${issuer}/qr/assets/style.css`, 'GET, HEAD'],
      [`${issuer}/qr/scan`, 'GET, HEAD, POST'],
      [`${issuer}/qr/devices`, 'GET, HEAD, POST'],
      [phone.at, 'GET, HEAD, POST'],
      [code, 'GET, HEAD, POST'],
    ];
  };

  it('is answered with 405 and the methods that the URL has (RFC 9110, section 15.5.6)', async () => {
    for (const [url, allowed] of await urls()) {
      const wrong = ['DELETE', 'PUT', ...(allowed === 'POST' ? ['GET'] : [])];
      for (const method of wrong) {
        const answer = await fetch(url, { method, headers: { accept: 'application/json' }, redirect: 'manual' });
        expect(answer.status, `${method} ${url}`).to.equal(405);
        expect(answer.headers.get('allow'), url).to.equal(allowed);
        expect(await answer.json()).to.include({ error: 'method_not_allowed' });
      }
    }
  });

  it('is missing from the Allow header of the answer to an OPTIONS request', async () => {
    for (const [url, allowed] of await urls()) {
      const answer = await fetch(url, { method: 'OPTIONS' });
      expect([answer.status, answer.headers.get('allow')], url).to.deep.equal([204, allowed]);
      expect(answer.headers.get('access-control-allow-origin')).to.equal(null);
    }
  });

  it('is passed on to a page of the deployment below the interaction', async () => {
    await World.during(
      {
        extend: ({ provider }) => {
          provider.use(async (ctx, next) => {
            if (/^\/interaction\/[^/]+(\/cancel)?$/.test(ctx.path) && ctx.method === 'PUT')
              ctx.body = 'a page of its own';
            else await next();
          });
        },
      },
      async (other) => {
        const { browser } = await other.meet();
        for (const url of [browser.at, `${browser.at}/cancel`]) {
          const answer = await browser.agent.send(url, { method: 'PUT' });
          expect([answer.status, answer.text]).to.deep.equal([200, 'a page of its own']);
        }
      },
    );
  });
});

describe('HEAD on a long poll', () => {
  it('is answered immediately', async () => {
    await World.during({}, async (world) => {
      const { browser } = await world.meet();
      const { version } = await browser.ticket();
      const answer = await browser.agent.send(`${browser.at}/qr?after=${version}`, { method: 'HEAD' });
      expect(answer.status).to.equal(200);
      expect((await world.qr.health()).waiting).to.equal(0);
    });
  });
});

describe('an answer with status 401', () => {
  it('has a challenge (RFC 9110, section 11.6.1)', async () => {
    await World.during({}, async (world) => {
      for (const path of ['/qr/devices', '/qr/scan', '/qr/tickets/x']) {
        const answer = await fetch(world.issuer + path, { headers: { accept: 'application/json' } });
        expect(answer.status, path).to.equal(401);
        expect(answer.headers.get('www-authenticate')).to.equal(`Cookie realm="${world.issuer}"`);
      }
    });
  });
});

describe('the pages of the phone', () => {
  it('are isolated from windows of other sites, but the pages of the browser are not', async () => {
    await World.during({}, async (world) => {
      const { browser, phone } = await world.meet();
      const code = await browser.code();
      await phone.scan(code);
      const policy = 'cross-origin-opener-policy';
      for (const url of [code, phone.at, `${world.issuer}/qr/devices`, `${world.issuer}/qr/scan`]) {
        const page = await phone.agent.get(url, { headers: { accept: 'text/html' } });
        expect(page.headers.get(policy), url).to.equal('same-origin');
      }
      // An RP may show this page in a separate window, and waits for that window.
      expect((await browser.agent.get(browser.at)).headers.get(policy)).to.equal(null);
    });
  });
});

describe('a code to which a scanner has appended white space', () => {
  for (const tail of ['%20', '%0D%0A', '%0A', '%09']) {
    it(`works with ${tail}`, async () => {
      await World.during({}, async (world) => {
        const { browser, phone } = await world.meet();
        expect((await phone.scan((await browser.code()) + tail)).status).to.equal(200);
      });
    });
  }
});

describe('a body', () => {
  it('may have a media type in capital letters', async () => {
    await World.during({}, async (world) => {
      const { browser } = await world.meet();
      for (const [type, body] of [
        ['Application/JSON; charset=UTF-8', '{}'],
        ['APPLICATION/X-WWW-FORM-URLENCODED', ''],
      ] as const) {
        const headers = { 'content-type': type, accept: 'application/json' };
        const answer = await browser.agent.post(`${browser.at}/qr/renew`, { body, headers });
        expect(answer.status, type).to.equal(200);
      }
    });
  });
});
