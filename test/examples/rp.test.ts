import { expect } from 'chai';
import { makeRp, rpClient } from '../../examples/rp.ts';
import { Agent, type Answer } from '../support/agent.ts';
import { type Running, serve } from '../support/server.ts';
import { PhonePerson, World } from '../support/world.ts';

const secret = 'a secret that only the demo RP knows';

describe('the demo RP', () => {
  let world: World;
  let rp: Running;
  let agent: Agent;
  let phone: PhonePerson;

  before(async () => {
    // The RP's address must be known to the provider, and the provider's to the RP.
    rp = await serve(async (url) => {
      world = await World.start({ clients: [rpClient({ url, secret })] });
      return { app: makeRp({ issuer: world.issuer, url, secret }) };
    });
  });

  beforeEach(async () => {
    agent = new Agent();
    phone = await new PhonePerson(world).signIn();
  });

  after(async () => {
    await rp.stop();
    await world.stop();
  });

  const json = async (answer: Promise<Answer>): Promise<Record<string, unknown>> => (await answer).json();
  /** Signs in up to the RP's page. */
  const signIn = async (): Promise<Answer> => {
    const page = await agent.follow(`${rp.origin}/login`);
    const { qr } = await json(agent.get(`${page.url}/qr`));
    await phone.scan((qr as { url: string }).url);
    await phone.approve();
    const { redirectTo } = await json(agent.post(`${page.url}/qr/finish`, { json: {} }));
    const consent = await agent.follow(String(redirectTo));
    const granted = await json(agent.post(`${consent.url}/consent`, { json: {} }));
    return agent.follow(String(granted.redirectTo));
  };

  it('offers to sign in', async () => {
    const page = await agent.get(rp.origin);
    expect(page.text).to.include('href="/login"');
  });

  it('signs in by QR and shows what it was told', async () => {
    const page = await signIn();
    expect(page.url.href).to.equal(`${rp.origin}/`);
    expect(page.text).to.include('You are signed in as <b>Alice Liddell</b>');
    expect(page.text).to.include('a11ce').and.to.include('mca');
  });

  it('signs out at the provider, too, and comes back', async () => {
    await signIn();
    const asked = await agent.follow(`${rp.origin}/logout`);
    expect(asked.url.href.startsWith(`${world.issuer}/session/end`)).to.equal(true);
    const [, xsrf = ''] = /name="xsrf" value="([\w-]+)"/.exec(asked.text) ?? [];
    const form = { xsrf, logout: 'yes' };
    const left = await agent.post(`${world.issuer}/session/end/confirm`, { form });
    expect(left.location).to.equal(`${rp.origin}/`);
    expect((await agent.follow(left.location)).text).to.include('href="/login"');
    // The provider has forgotten this browser: there is a code again.
    expect((await agent.follow(`${rp.origin}/login`)).text).to.include('data-qr-login');
  });

  it('shows that it was refused', async () => {
    const page = await agent.follow(`${rp.origin}/login`);
    const { redirectTo } = await json(agent.post(`${page.url}/cancel`, { json: {} }));
    const refused = await agent.follow(String(redirectTo));
    expect(refused.url.origin).to.equal(rp.origin);
    expect(refused.text).to.include('data-error="access_denied"');
  });

  it('takes no answer that it did not ask for', async () => {
    const page = await agent.follow(`${rp.origin}/callback?code=made-up&state=made-up`);
    expect(page.text).not.to.include('You are signed in');
    await agent.follow(`${rp.origin}/login`);
    const forged = await agent.get(`${rp.origin}/callback?code=made-up&state=made-up`);
    expect(forged.text).not.to.include('You are signed in');
    expect(forged.status).to.be.below(500);
  });
});
