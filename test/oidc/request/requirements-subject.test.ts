import { expect } from 'chai';
import { BrowserPerson, PhonePerson, testClient, World } from '../../support/world.ts';

const CLIENT = 'pairwise-rp';

describe('the subject that a request demands', () => {
  it('is compared again when the browser finishes, and a different subject is refused', async () => {
    let salt = 'before';
    const world = await World.start({
      clients: [testClient(CLIENT, { subject_type: 'pairwise' })],
      configuration: {
        subjectTypes: ['public', 'pairwise'],
        pairwiseIdentifier: (_ctx, accountId) => `${salt} ${accountId}`,
        features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } },
      },
    });
    const browser = new BrowserPerson(world);
    browser.clientId = CLIENT;
    await browser.start({ claims: JSON.stringify({ id_token: { sub: { value: 'before a11ce' } } }) });
    const phone = await new PhonePerson(world).signIn('alice');
    await phone.scan(await browser.code());
    expect((await phone.approve()).json().state).to.equal('approved');

    salt = 'after';
    const refused = await browser.finish();
    expect(refused.status).to.equal(403);
    expect(refused.json().error).to.equal('wrong_account');
    expect((await browser.ticket()).state).to.equal('approved');

    salt = 'before';
    expect((await browser.finish()).status).to.equal(200);
    await world.stop();
  });
});
