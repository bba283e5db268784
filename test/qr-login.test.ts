import { expect } from 'chai';
import { ID_LENGTH } from './support/codes.ts';
import { BrowserPerson, PhonePerson, RP_CALLBACK, World } from './support/world.ts';

describe('signing in with a QR code', () => {
  let world: World;

  before(async () => {
    world = await World.start();
  });

  after(() => world?.stop());

  it('results in an ordinary ID token', async () => {
    const browser = new BrowserPerson(world);
    const phone = await new PhonePerson(world).signIn('alice');
    await browser.start();

    await phone.scan(await browser.code());
    expect((await browser.ticket()).state).to.equal('scanned');
    expect((await phone.approve()).json().state).to.equal('approved');
    const tokens = await browser.tokens(await browser.arrive());

    const claims = tokens.claims();
    expect(claims).to.include({ iss: world.issuer, sub: 'a11ce', acr: 'urn:example:acr:password' });
    expect(claims?.amr).to.have.members(['pwd', 'mca', 'user']);
    expect(claims?.auth_time).to.be.a('number');
  });

  it('signs in the account that approves', async () => {
    const { browser, phone } = await world.meet('bob');
    await phone.scan(await browser.code());
    await phone.approve();
    expect((await browser.tokens(await browser.arrive())).claims()?.sub).to.equal('b0b');
  });

  it('needs no QR code the second time in the same browser', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    const first = (await browser.tokens(await browser.arrive())).claims();
    const shown = world.count('qr_login.shown');

    const again = await browser.start();

    expect(again.location).to.match(/^http:\/\/rp\.localhost:9\/callback\?code=/);
    expect((await browser.tokens(new URL(again.location))).claims()?.sub).to.equal(first?.sub);
    expect(shown()).to.equal(0);
  });

  it('answers prompt=none with login_required, and creates no ticket', async () => {
    const browser = new BrowserPerson(world);
    const shown = world.count('qr_login.shown');
    const { searchParams } = new URL((await browser.start({ prompt: 'none' })).location);
    expect(Object.fromEntries(searchParams)).to.include({ error: 'login_required', iss: world.issuer });
    expect(searchParams.get('state')).to.be.a('string');
    expect(shown()).to.equal(0);
  });

  it('works without JavaScript, with forms and redirects', async () => {
    const browser = new BrowserPerson(world);
    const phone = await new PhonePerson(world).signIn();
    const page = await browser.start();
    expect(page.text).to.include('data-code><svg').and.to.include('http-equiv="refresh"');

    const landed = await phone.agent.follow(await browser.code());
    const scanned = await phone.agent.post(landed.url, { form: { csrf: csrfIn(landed.text) } });
    expect(scanned.status).to.equal(303);
    const confirm = await phone.agent.follow(new URL(scanned.location, landed.url));
    const decided = await phone.agent.post(confirm.url, {
      form: { csrf: csrfIn(confirm.text), decision: 'approve' },
    });
    expect(decided.status).to.equal(303);
    expect((await phone.agent.follow(new URL(decided.location, confirm.url))).text).to.include('Approved');

    const finished = await browser.agent.post(`${browser.at}/qr/finish`, { form: { checkCode: '' } });
    expect(finished.status).to.equal(303);
    const consent = await browser.goOn(finished.location);
    const granted = await browser.agent.post(`${consent.url}/consent`, { form: {} });
    expect(granted.status).to.equal(303);
    const arrived = await browser.goOn(granted.location);
    expect((await browser.tokens(new URL(arrived.location))).claims()?.sub).to.equal('a11ce');
  });
});

describe('an issuer with a path', () => {
  let world: World;

  before(async () => {
    world = await World.start({ path: '/oidc' });
  });

  after(() => world?.stop());

  it('signs in below that path', async () => {
    const { browser, phone } = await world.meet();
    expect(new URL(browser.at).pathname).to.equal(`/oidc/interaction/${browser.uid}`);
    const code = await browser.code();
    expect(code.startsWith(`${world.issuer}/qr/`)).to.equal(true);

    await phone.scan(code);
    expect(new URL(phone.at).pathname).to.match(new RegExp(`^/oidc/qr/tickets/[\\w-]{${ID_LENGTH}}$`));
    await phone.approve();
    const { redirectTo } = (await browser.finish()).json();
    expect(redirectTo).to.include(`${world.issuer}/auth/${browser.uid}`);
    const arrived = await browser.arriveFrom(String(redirectTo));
    expect(arrived.href.startsWith(RP_CALLBACK)).to.equal(true);
    expect((await browser.tokens(arrived)).claims()?.iss).to.equal(world.issuer);
  });

  it('keeps its cookies below that path', async () => {
    const { browser, phone } = await world.meet();
    await phone.scan(await browser.code());
    await phone.approve();
    await browser.finish();
    const paths = async (agent: typeof browser.agent): Promise<Record<string, unknown>> => {
      const { cookies = [] } = (await agent.jar.serialize()) ?? {};
      // The cookie by which accounts recognize the browser is set for two paths.
      return Object.fromEntries(
        cookies.map(({ key, path }) => [`${path}`.endsWith('/qr/actions') ? `${key} of actions` : key, path]),
      );
    };
    expect(await paths(browser.agent)).to.include({
      _qr_browser: `/oidc/interaction/${browser.uid}`,
      _qr_memory: '/oidc/interaction',
      '_qr_memory of actions': '/oidc/qr/actions',
    });
    expect(await paths(phone.agent)).to.include({ _qr_seen: '/oidc/qr' });
  });

  it('sends a phone that is not signed in to the sign-in page of the account and back to the code', async () => {
    const browser = new BrowserPerson(world);
    await browser.start();
    const code = await browser.code();
    const back = await new PhonePerson(world).signInAt(code);
    expect(back.url.href).to.equal(code);
    expect(back.text).to.include('data-scan');
  });

  it('loads the files of its pages from below that path', async () => {
    const page = await new BrowserPerson(world).start();
    const assets = [...page.text.matchAll(/="(\/[^"]+\?v=[^"]+)"/g)].map(([, path]) => String(path));
    // The script, the icon and its three variants.
    expect(assets).to.have.length(5);
    for (const path of assets) {
      expect(path).to.match(/^\/oidc\/qr\/assets\//);
      expect((await fetch(new URL(path, world.origin))).status).to.equal(200);
    }
  });
});

function csrfIn(page: string): string {
  return /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
}
