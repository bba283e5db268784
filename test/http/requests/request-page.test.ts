import { expect } from 'chai';
import { AppPerson } from '../../support/app.ts';
import { PhonePerson, type World } from '../../support/world.ts';
import { ALICE, ask, type DeskWorld, fetchTokens, listed, open, openFirst, startWithDesk } from './requests.ts';

const JSON_ONLY = { accept: 'application/json' };

describe('the address of a request that waits', () => {
  let desk: DeskWorld;
  let world: World;

  beforeEach(async () => {
    desk = await startWithDesk();
    world = desk.world;
  });

  afterEach(() => world.stop());

  /** Returns the address that the deployment was told, for the notification. */
  async function asked(): Promise<string> {
    await ask(world);
    const url = desk.notified.at(-1)?.[1].url;
    if (url === undefined) throw new Error('nothing was notified');
    return url;
  }

  it('is told to the deployment, with the client and the time that is left, and nothing of what is asked', async () => {
    const url = await asked();
    const [[accountId, request] = [], ...others] = desk.notified;
    expect([accountId, others]).to.deep.equal([ALICE, []]);
    expect(request).to.have.all.keys('id', 'url', 'client', 'expiresIn');
    expect(request?.client).to.deep.equal({ id: 'desk', name: 'The desk' });
    expect(url).to.equal(`${world.issuer}/qr/requests/${request?.id}`);
    expect(request?.expiresIn).to.be.within(590, 600);
  });

  it('opens the request on the phone of its account, which decides there', async () => {
    const url = await asked();
    const phone = await new PhonePerson(world).signIn();
    expect((await open(phone, url)).status).to.equal(200);
    expect((await phone.approve()).json().state).to.equal('redeemed');
    const again = await phone.agent.get(url, { headers: JSON_ONLY });
    expect([again.status, again.location]).to.deep.equal([303, new URL(phone.at).pathname]);
    expect(await listed(phone)).to.deep.equal([]);
  });

  it('changes nothing when it is only looked at', async () => {
    const url = await asked();
    const scanned = world.collectPayloads('qr_login.scanned');
    const phone = await new PhonePerson(world).signIn();
    for (const method of ['GET', 'HEAD', 'GET']) expect((await phone.agent.send(url, { method })).status).to.equal(200);
    expect(scanned).to.deep.equal([]);
    expect(await listed(phone)).to.have.length(1);
  });

  it('leads through the sign-in of a phone that has no session, and back', async () => {
    const url = await asked();
    const phone = new PhonePerson(world);
    const page = await phone.signInAt(url);
    expect([page.status, page.url.href]).to.deep.equal([200, url]);
    expect(page.text).to.include('data-scan');
    expect((await open(phone, url)).status).to.equal(200);
  });

  it('is unknown if its id is malformed, also to a phone that is not signed in: the phone is not sent to the sign-in page', async () => {
    const phone = new PhonePerson(world);
    for (const id of ['x', 'x'.repeat(23), 'x'.repeat(25), `${'x'.repeat(23)}%2f`, `${'x'.repeat(24)}%0a`]) {
      const answer = await phone.agent.get(`${world.issuer}/qr/requests/${id}`, { headers: { accept: 'text/html' } });
      expect([id, answer.status, answer.location]).to.deep.equal([id, 404, '']);
    }
  });

  it('looks unknown to another account, before and after the right one has opened it', async () => {
    const url = await asked();
    const bob = await new PhonePerson(world).signIn('bob');
    const alice = await new PhonePerson(world).signIn();
    const unknown = await bob.agent.get(`${world.issuer}/qr/requests/${'A'.repeat(24)}`, { headers: JSON_ONLY });
    const look = async (): Promise<unknown> => (await bob.agent.get(url, { headers: JSON_ONLY })).json();
    expect(await look()).to.deep.equal(unknown.json());
    expect(await listed(bob)).to.deep.equal([]);
    const [first] = await listed(alice);
    const sent = await bob.agent.post(url, { headers: JSON_ONLY, json: { csrf: first?.csrf ?? '' } });
    expect(sent.status).to.be.oneOf([403, 404]);
    await open(alice, url);
    expect(await look()).to.deep.equal(unknown.json());
    bob.at = alice.at;
    expect((await bob.look()).json()).to.deep.equal(unknown.json());
  });

  it('opens no sign-in, and no action', async () => {
    const { browser, phone } = await world.meet();
    const approval = await world.qr.requestApproval({ accountId: ALICE, title: 'Pay' });
    const scanner = await new PhonePerson(world).signIn();
    await scanner.scan(await browser.code());
    const signIn = scanner.at.split('/').at(-1);
    const code = new URL(approval.code).pathname.split('/').at(-1) ?? '';
    for (const id of [signIn, approval.id, code.slice(0, 24), browser.uid]) {
      const answer = await phone.agent.get(`${world.issuer}/qr/requests/${id}`, { headers: JSON_ONLY });
      expect([answer.status, answer.json().error], id).to.deep.equal([404, 'not_found']);
    }
  });

  it('lets another phone of the account take the request over, and the first decision counts', async () => {
    const asking = await ask(world);
    const [first, second] = [await new PhonePerson(world).signIn(), await new PhonePerson(world).signIn()];
    await openFirst(first);
    await openFirst(second);
    expect((await first.approve()).json()).to.include({ error: 'wrong_state', reason: 'elsewhere' });
    await openFirst(first);
    const decisions = await Promise.all([first.approve(), second.deny()]);
    const [won, lost] = decisions.map(({ status }) => status).sort();
    expect(won).to.equal(200);
    expect(lost).to.be.oneOf([409, 410]);
    const isApproved = decisions.some(({ status, text }) => status === 200 && text.includes('redeemed'));
    const outcome = await fetchTokens(asking).catch(({ error }: { error: string }) => error);
    expect(outcome === 'access_denied').to.equal(!isApproved);
  });

  it('opens nothing without the token of its form, or from another site', async () => {
    const url = await asked();
    const phone = await new PhonePerson(world).signIn();
    expect((await phone.agent.post(url, { headers: JSON_ONLY, json: {} })).json().error).to.equal('invalid_csrf');
    const [first] = await listed(phone);
    const headers = { ...JSON_ONLY, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    const forged = await phone.agent.post(url, { headers, json: { csrf: first?.csrf ?? '' } });
    expect(forged.json().error).to.equal('foreign_origin');
    const page = await phone.agent.get(url, {
      headers: { ...headers, accept: 'text/html', 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate' },
    });
    expect(page.text).not.to.include('data-scan');
  });

  it('is over once the request has expired, and the request is no longer listed', async () => {
    const url = await asked();
    const phone = await new PhonePerson(world).signIn();
    world.clock.forward(601);
    expect((await phone.agent.get(url, { headers: JSON_ONLY })).json()).to.include({
      error: 'over',
      reason: 'expired',
    });
    expect(await listed(phone)).to.deep.equal([]);
  });

  it('redirects the phone after a report', async () => {
    const url = await asked();
    const phone = await new PhonePerson(world).signIn();
    await open(phone, url);
    await phone.decide('report');
    const reported = await phone.agent.get(url, { headers: JSON_ONLY });
    expect(reported.status).to.equal(303);
  });
});

describe('the requests of an account in an app', () => {
  let desk: DeskWorld;

  beforeEach(async () => {
    desk = await startWithDesk();
  });

  afterEach(() => desk.world.stop());

  it('are listed, opened and approved with a token that is bound to a key', async () => {
    const { world } = desk;
    const asking = await ask(world, { binding_message: 'W4SC' });
    const app = await new AppPerson(world).signIn();
    const { requests } = (await app.request('GET', '/qr/api/requests')).json();
    const [{ id, expiresIn, askedAgo, client }, ...others] = requests as Record<string, unknown>[] &
      [Record<string, unknown>];
    expect([client, others]).to.deep.equal([{ id: 'desk', name: 'The desk' }, []]);
    expect(expiresIn).to.be.within(590, 600);
    expect(askedAgo).to.be.within(0, 10);
    const opened = await app.request('POST', `/qr/api/requests/${id}`, { body: {} });
    expect([opened.status, opened.json().state]).to.deep.equal([201, 'scanned']);
    expect(opened.json()).to.deep.include({ backchannel: { bindingMessage: 'W4SC' }, consent: true });
    expect((await app.request('POST', `/qr/api/requests/${id}`, { body: {} })).status).to.equal(200);
    app.at = opened.location;
    expect((await app.approve()).json().state).to.equal('finished');
    expect((await fetchTokens(asking)).claims()?.sub).to.equal(ALICE);
    expect((await app.request('GET', '/qr/api/requests')).json().requests).to.deep.equal([]);
  });

  it('are unknown to the app of another account', async () => {
    const { world } = desk;
    await ask(world);
    const bob = await new AppPerson(world).signIn('bob');
    expect((await bob.request('GET', '/qr/api/requests')).json().requests).to.deep.equal([]);
    const id = desk.notified[0]?.[1].id;
    const opened = await bob.request('POST', `/qr/api/requests/${id}`, { body: {} });
    expect([opened.status, opened.json().error]).to.deep.equal([404, 'not_found']);
    expect((await bob.request('POST', `/qr/api/requests/${id}`, { body: { more: 1 } })).status).to.equal(400);
  });
});
