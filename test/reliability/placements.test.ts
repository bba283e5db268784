import { expect } from 'chai';
import { isFullSuite, sizeOfSuite } from '../support/full-suite.ts';
import { Nodes, type OneNode } from '../support/nodes.ts';
import { RedisServer } from '../support/redis.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';

/** The nodes that serve the requests of a sign-in. */
interface Placement {
  readonly browser: number;
  readonly scan: number;
  readonly approval: number;
}

const ALL = [0, 1, 2];
const EVERY_PLACEMENT: readonly Placement[] = ALL.flatMap((browser) =>
  ALL.flatMap((scan) => ALL.map((approval) => ({ browser, scan, approval }))),
);

/**
 * One placement of each kind: all requests at one node; the browser, the scan or the approval at another node; all at
 * different nodes.
 */
const KINDS: readonly Placement[] = [
  { browser: 1, scan: 1, approval: 1 },
  { browser: 1, scan: 0, approval: 0 },
  { browser: 0, scan: 1, approval: 0 },
  { browser: 2, scan: 2, approval: 1 },
  { browser: 0, scan: 1, approval: 2 },
];

const PLACEMENTS = sizeOfSuite({ short: KINDS, full: EVERY_PLACEMENT });

const WRONG_CLOCK = 'of three nodes, the second of which has a clock that is 61 seconds ahead';

const CLOCKS: Readonly<Record<string, readonly OneNode[]>> = {
  [WRONG_CLOCK]: [{}, { clockAhead: 61 }, {}],
  ...(isFullSuite && { 'of three nodes': [{}, {}, {}] }),
};

/**
 * Expects the remaining seconds of a two-minute ticket. With a clock that is 61 s ahead, they would be less than 60.
 */
function expectSecondsLeft(seconds: unknown): void {
  expect(seconds).to.be.within(60, 121);
}

for (const [name, clocks] of Object.entries(CLOCKS)) {
  describe(`a sign-in at any ${name}`, () => {
    let redis: RedisServer;
    let nodes: Nodes;

    before(async () => {
      redis = await RedisServer.start();
      nodes = await Nodes.start({ redis: { url: redis.url }, nodes: clocks, people: PLACEMENTS.length + 1 });
    });

    afterEach(function () {
      if (this.currentTest?.state === 'failed') process.stderr.write(nodes?.complaints ?? '');
    });

    after(async () => {
      await nodes?.stop();
      await redis?.stop();
    });

    for (const [index, { browser: a, scan: b, approval: c }] of PLACEMENTS.entries()) {
      it(`works with the browser at ${a}, the scan at ${b} and the approval at ${c}`, async () => {
        const browser = new BrowserVisitor(nodes.site, nodes.networkTo(a));
        const phone = new PhoneVisitor(nodes.site, nodes.networkTo(b));
        await browser.start();
        const stream = await browser.events();
        const shown = await stream.ticket('waiting');
        expectSecondsLeft(shown.expiresIn);

        const { url } = shown.qr as { url: string };
        await phone.signInAt(url, `user${index}`);
        expect((await phone.scan(url)).status).to.equal(200);
        // The stream can learn of the scan only by a signal, because no stream re-reads its ticket during the test.
        expectSecondsLeft((await stream.ticket('scanned')).expiresIn);

        phone.network = nodes.networkTo(c);
        expect(await phone.approve()).to.include({ state: 'approved' });
        expectSecondsLeft((await stream.ticket('approved')).expiresIn);
        stream.close();

        const { redirectTo } = (await browser.finish()).json();
        // oidc-provider's authorization codes live for 60 s, and expire by the clock of the node that redeems them. If
        // that clock is 61 s ahead, the codes of the other nodes have expired there, so the node redeems its own.
        const tokens = await browser.tokens(redirectTo);
        expect(tokens.claims()?.sub).to.equal(`user${index}`);
      });
    }

    it('works if the page, its stream and its finish request are each served by another node', async () => {
      const browser = new BrowserVisitor(nodes.site, nodes.networkTo(0));
      await browser.start();
      browser.network = nodes.networkTo(1);
      const stream = await browser.events();
      const { url } = (await stream.ticket('waiting')).qr as { url: string };
      const phone = new PhoneVisitor(nodes.site, nodes.networkTo(2));
      const user = `user${PLACEMENTS.length}`;
      await phone.signInAt(url, user);
      await phone.scan(url);
      await stream.ticket('scanned');
      await phone.approve();
      await stream.ticket('approved');
      stream.close();

      browser.network = nodes.networkTo(2);
      const { redirectTo } = (await browser.finish()).json();
      expect((await browser.tokens(redirectTo)).claims()?.sub).to.equal(user);
    });
  });
}
