import { expect } from 'chai';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JSONWebKeySet, jwtVerify } from 'jose';
import type { JWK } from 'oidc-provider';
import { SIGNING_KEY } from '../fixtures/secrets.ts';
import { Nodes } from '../support/nodes.ts';
import { PageVisitor, patiently } from '../support/page-visitor.ts';
import { RedisServer } from '../support/redis.ts';
import { PhoneVisitor } from '../support/visitors.ts';

const NODES = [0, 1] as const;

interface SignIn {
  readonly browser: PageVisitor;
  readonly phone: PhoneVisitor;
  readonly user: string;
}

describe('a rotation of `jwks` while users sign in', function () {
  this.timeout(120_000);
  let redis: RedisServer;
  let nodes: Nodes;
  let people = 0;

  before(async () => {
    redis = await RedisServer.start();
    nodes = await Nodes.start({ redis: { url: redis.url }, nodes: NODES.map(() => ({})), people: 20 });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(nodes?.complaints ?? '');
  });

  after(async () => {
    await nodes?.stop();
    await redis?.stop();
  });

  it('loses no sign-in, and every ID token can be verified with the keys of any node', async () => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const next: JWK = { ...(await exportJWK(privateKey)), kid: 'next', use: 'sig', alg: 'RS256' } as JWK;
    // The new key is published first, then signs, and then the old one is dropped.
    const kids: unknown[] = [];
    for (const keys of [[SIGNING_KEY, next], [next, SIGNING_KEY], [next]]) {
      for (const node of NODES) {
        const underWay = [await scanCode(node), await scanAndApprove(node)];
        await nodes.restart(node, { configuration: { jwks: { keys } } });
        const [one, other] = underWay;
        if (one === undefined || other === undefined) throw new Error('no sign-in is under way');
        expect(await one.phone.approve()).to.include({ state: 'approved' });
        for (const signIn of [one, other]) kids.push(await finish(signIn, keys.length > 1));
      }
    }
    expect(kids[0]).to.equal(SIGNING_KEY.kid ?? kids[0]);
    expect(kids.at(-1)).to.equal('next');
  });

  async function scanCode(node: number): Promise<SignIn> {
    const user = `user${people++}`;
    // Repeat refused requests, because the next node in turn may be restarting.
    const network = patiently(nodes.roundRobin());
    const browser = new PageVisitor(nodes.site, network);
    const phone = new PhoneVisitor(nodes.site, network);
    await browser.start();
    await phone.signInAt(`${nodes.issuer}/account`, user);
    expect((await phone.scan(await browser.code())).status, `at node ${node}`).to.equal(200);
    return { browser, phone, user };
  }

  async function scanAndApprove(node: number): Promise<SignIn> {
    const signIn = await scanCode(node);
    expect(await signIn.phone.approve()).to.include({ state: 'approved' });
    return signIn;
  }

  /**
   * Finishes a sign-in, and verifies its ID token with the keys of each node.
   * @param everywhere true if the keys of all nodes must verify it; false if those of one node are enough
   * @returns the id of the key
   */
  async function finish({ browser, user }: SignIn, everywhere: boolean): Promise<unknown> {
    await browser.untilState('approved');
    const tokens = await browser.tokens((await browser.finish()).json().redirectTo);
    expect(tokens.claims()?.sub).to.equal(user);
    const verified = await Promise.allSettled(NODES.map((node) => verify(node, `${tokens.id_token}`)));
    const kids = verified.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(kids.length).to.be.at.least(everywhere ? NODES.length : 1);
    return kids[0];
  }

  /** Verifies an ID token with the keys that a node publishes. @returns the id of the key */
  async function verify(node: number, idToken: string): Promise<unknown> {
    const answer = await nodes.networkTo(node)(`${nodes.issuer}/jwks`);
    const { protectedHeader } = await jwtVerify(idToken, createLocalJWKSet((await answer.json()) as JSONWebKeySet));
    return protectedHeader.kid;
  }
});
