import { expect } from 'chai';
import { Nodes } from '../support/nodes.ts';
import { RedisServer } from '../support/redis.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';

const OLD = 'the old secret, of at least thirty-two characters';
const NEW = 'the new secret, of at least thirty-two characters';

/**
 * The node that already signs with the new key, and the node that does not know this key yet, because the operator has
 * left out step 1: adding the new key to every node.
 */
const [AHEAD, BEHIND] = [0, 1];

describe('a rotation of `secrets` in the wrong order', () => {
  let redis: RedisServer;
  let nodes: Nodes;

  before(async () => {
    redis = await RedisServer.start();
    nodes = await Nodes.start({
      redis: { url: redis.url },
      nodes: [{ qrLogin: { secrets: [NEW, OLD] } }, { qrLogin: { secrets: [OLD] } }],
      people: 2,
      qrLogin: { assess: 'check code' },
    });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(nodes?.complaints ?? '');
  });

  after(async () => {
    await nodes?.stop();
    await redis?.stop();
  });

  async function showAt(node: number, user: string): Promise<{ browser: BrowserVisitor; phone: PhoneVisitor }> {
    const browser = new BrowserVisitor(nodes.site, nodes.networkTo(node));
    const phone = new PhoneVisitor(nodes.site, nodes.networkTo(node));
    await browser.start();
    await phone.signInAt(`${nodes.issuer}/account`, user);
    return { browser, phone };
  }

  async function finishWith(browser: BrowserVisitor, checkCode: unknown): Promise<Record<string, unknown>> {
    return (await browser.post(`${browser.at}/qr/finish`, { checkCode })).json();
  }

  it('makes QR codes and check codes of the new key invalid at a node without this key, but not at the others', async () => {
    const { browser, phone } = await showAt(AHEAD, 'user0');
    const code = await browser.code();
    phone.network = nodes.networkTo(BEHIND);
    expect((await phone.scan(code)).status).to.equal(404);

    phone.network = nodes.networkTo(AHEAD);
    expect((await phone.scan(code)).status).to.equal(200);
    const { checkCode } = await phone.approve();
    browser.network = nodes.networkTo(BEHIND);
    expect(await finishWith(browser, checkCode)).to.include({ error: 'wrong_check_code' });

    browser.network = nodes.networkTo(AHEAD);
    const { redirectTo } = await finishWith(browser, checkCode);
    expect((await browser.tokens(`${redirectTo}`)).claims()?.sub).to.equal('user0');
  });

  it('keeps QR codes and check codes of the old key valid at every node', async () => {
    const { browser, phone } = await showAt(BEHIND, 'user1');
    const code = await browser.code();
    phone.network = nodes.networkTo(AHEAD);
    expect((await phone.scan(code)).status).to.equal(200);
    phone.network = nodes.networkTo(BEHIND);
    await phone.look();
    const { checkCode } = await phone.approve();
    browser.network = nodes.networkTo(AHEAD);
    const { redirectTo } = await finishWith(browser, checkCode);
    expect((await browser.tokens(`${redirectTo}`)).claims()?.sub).to.equal('user1');
  });
});
