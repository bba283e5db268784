import { expect } from 'chai';
import { Nodes, type OneNode } from '../support/nodes.ts';
import { RedisServer } from '../support/redis.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';

/** A signal arrives at once. Only the slow read would find the change otherwise, after ten seconds. */
const PROMPTLY = 2_000;

const ALL = [0, 1, 2];
const PLACEMENTS = ALL.flatMap((browser) =>
  ALL.flatMap((scan) => ALL.map((approval) => ({ browser, scan, approval }))),
);

const CLOCKS: Readonly<Record<string, readonly OneNode[]>> = {
  'of three nodes': [{}, {}, {}],
  'of three nodes, the second of which is 61 seconds ahead': [{}, { clockAhead: 61 }, {}],
};

for (const [name, clocks] of Object.entries(CLOCKS)) {
  describe(`a sign-in at any ${name}`, () => {
    let redis: RedisServer;
    let nodes: Nodes;

    before(async () => {
      redis = await RedisServer.start();
      nodes = await Nodes.start({ redis: { url: redis.url }, nodes: clocks, people: PLACEMENTS.length + 1 });
    });

    afterEach(function () {
      if (this.currentTest?.state === 'failed') process.stderr.write(nodes.complaints);
    });

    after(async () => {
      await nodes.stop();
      await redis.stop();
    });

    for (const [index, { browser: a, scan: b, approval: c }] of PLACEMENTS.entries()) {
      it(`works with the browser at ${a}, the scan at ${b} and the approval at ${c}`, async () => {
        const browser = new BrowserVisitor(nodes.site, nodes.networkTo(a));
        const phone = new PhoneVisitor(nodes.site, nodes.networkTo(b));
        await browser.start();
        const stream = await browser.events();
        const shown = await stream.ticket('waiting');
        expect(shown.expiresIn).to.be.within(110, 121);

        const { url } = shown.qr as { url: string };
        await phone.signInAt(url, `user${index}`);
        expect((await phone.scan(url)).status).to.equal(200);
        expect((await promptly(stream.ticket('scanned'))).expiresIn).to.be.within(110, 121);

        phone.network = nodes.networkTo(c);
        expect(await phone.approve()).to.include({ state: 'approved' });
        expect((await promptly(stream.ticket('approved'))).expiresIn).to.be.within(110, 121);
        stream.close();

        const { redirectTo } = (await browser.finish()).json();
        // A code of oidc-provider lives for 60 seconds by the clock of its node: only there it can be used if that clock is ahead.
        const tokens = await browser.tokens(redirectTo);
        expect(tokens.claims()?.sub).to.equal(`user${index}`);
      });
    }

    it('works with the page, its stream and its finish at three nodes', async () => {
      const browser = new BrowserVisitor(nodes.site, nodes.networkTo(0));
      await browser.start();
      browser.network = nodes.networkTo(1);
      const stream = await browser.events();
      const { url } = (await stream.ticket('waiting')).qr as { url: string };
      const phone = new PhoneVisitor(nodes.site, nodes.networkTo(2));
      const user = `user${PLACEMENTS.length}`;
      await phone.signInAt(url, user);
      await phone.scan(url);
      await promptly(stream.ticket('scanned'));
      await phone.approve();
      await promptly(stream.ticket('approved'));
      stream.close();

      browser.network = nodes.networkTo(2);
      const { redirectTo } = (await browser.finish()).json();
      expect((await browser.tokens(redirectTo)).claims()?.sub).to.equal(user);
    });
  });
}

/** @throws where it takes longer than a signal may */
async function promptly<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${PROMPTLY} ms`)), PROMPTLY);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
