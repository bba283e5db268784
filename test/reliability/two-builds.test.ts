import { expect } from 'chai';
import { buildBeforeFormats, buildCommit, type EarlierBuild, findLastCommit } from '../support/earlier-build.ts';
import { inFullSuite, sizeOfSuite } from '../support/full-suite.ts';
import { Nodes } from '../support/nodes.ts';
import { RedisServer } from '../support/redis.ts';
import { BrowserVisitor, PhoneVisitor } from '../support/visitors.ts';

/** The nodes that show the code, scan, approve and finish: 0 runs the earlier build, 1 this one. */
type Placement = readonly [number, number, number, number];

const BOTH = [0, 1];
const EVERY_PLACEMENT: readonly Placement[] = BOTH.flatMap((show) =>
  BOTH.flatMap((scan) => BOTH.flatMap((approve) => BOTH.map((finish): Placement => [show, scan, approve, finish]))),
);
/** In the first two rows, the build changes at each step. In the last one, only Approve is at the earlier build. */
const ALTERNATING: readonly Placement[] = [
  [0, 1, 0, 1],
  [1, 0, 1, 0],
  [1, 1, 0, 1],
];
const PLACEMENTS = sizeOfSuite({ short: ALTERNATING, full: EVERY_PLACEMENT });

testBeside('the last build without record formats', buildBeforeFormats);

inFullSuite(() => {
  const commit = findLastCommit();
  if (commit !== undefined) testBeside('the build of the last commit', () => buildCommit(commit));
  else
    describe('two builds on one Redis', () => {
      it('WITHOUT the last commit, which this clone does not have: only the archived build was tested', () => {
        process.stderr.write('two-builds.test.ts: fetch the history to test the build of the last commit as well\n');
      });
    });
});

function testBeside(name: string, build: () => EarlierBuild): void {
  describe(`${name} and this one on one Redis`, function () {
    // Building and starting the earlier version takes some seconds of processor time.
    this.timeout(180_000);
    let redis: RedisServer;
    let nodes: Nodes;
    let earlier: EarlierBuild | undefined;

    before(async () => {
      earlier = build();
      redis = await RedisServer.start();
      nodes = await Nodes.start({
        redis: { url: redis.url },
        nodes: [{ earlier: earlier.folder }, {}],
        people: PLACEMENTS.length + 1,
        // Every sign-in requires the check code, so that the test notices a step that drops it.
        qrLogin: { assess: 'check code' },
      });
    });

    afterEach(function () {
      if (this.currentTest?.state === 'failed') process.stderr.write(nodes?.complaints ?? '');
    });

    after(async () => {
      await nodes?.stop();
      await redis?.stop();
      earlier?.remove();
    });

    for (const [index, [show, scan, approve, finish]] of PLACEMENTS.entries()) {
      it(`sign in with the page at ${show}, the scan at ${scan}, Approve at ${approve}, finish at ${finish}`, async () => {
        const user = `user${index}`;
        const browser = new BrowserVisitor(nodes.site, nodes.networkTo(show));
        const phone = new PhoneVisitor(nodes.site, nodes.networkTo(scan));
        await browser.start();
        const stream = await browser.events();
        const { url } = (await stream.ticket('waiting')).qr as { url: string };
        await phone.signInAt(url, user);
        expect((await phone.scan(url)).status).to.equal(200);
        // The stream learns of the steps by signals that the nodes send each other.
        await stream.ticket('scanned');
        phone.network = nodes.networkTo(approve);
        const { state, checkCode } = await phone.approve({ remember: 'yes' });
        expect(state).to.equal('approved');
        expect(await stream.ticket('approved')).to.include({ checkCode: true });
        stream.close();

        browser.network = nodes.networkTo(finish);
        const without = await browser.post(`${browser.at}/qr/finish`, {});
        expect(without.json().error).to.equal('check_code_required');
        const finished = await browser.post(`${browser.at}/qr/finish`, { checkCode });
        expect(finished.status).to.equal(200);
        const tokens = await browser.tokens(finished.json().redirectTo);
        expect(tokens.claims()?.sub).to.equal(user);

        // Both builds read the entry that one of them wrote on each of the account's lists.
        for (const node of BOTH) {
          phone.network = nodes.networkTo(node);
          const devices = await phone.agent.get(`${nodes.issuer}/qr/devices`, {
            headers: { accept: 'application/json' },
          });
          expect(devices.status).to.equal(200);
          // This build lists the phone's own browser, too.
          const { browsers } = devices.json() as { browsers: { isHere: boolean }[] };
          expect(browsers.filter(({ isHere }) => !isHere)).to.have.length(1);
          expect(devices.json()).to.have.property('known').that.has.length(1);
        }
      });
    }

    it('keep unknown fields through the steps of this build', async () => {
      const browser = new BrowserVisitor(nodes.site, nodes.networkTo(0));
      const phone = new PhoneVisitor(nodes.site, nodes.networkTo(1));
      await browser.start();
      const code = await browser.code();
      await phone.signInAt(code, `user${PLACEMENTS.length}`);
      await addField();
      await phone.scan(code);
      await phone.approve();
      const [ticket = '{}'] = await tickets();
      expect(JSON.parse(ticket)).to.include({ state: 'approved', future: 'kept' });
    });

    /** Adds a field to every waiting ticket, as a node of a later build would have written it. */
    async function addField(): Promise<void> {
      const add = `
        for _, key in ipairs(redis.call('KEYS', '*:ticket:*')) do
          local ticket = redis.call('GET', key)
          if string.find(ticket, '"state":"waiting"', 1, true) then
            redis.call('SET', key, '{"future":"kept",' .. string.sub(ticket, 2), 'KEEPTTL')
          end
        end`;
      await redis.command('EVAL', add, '0');
    }

    async function tickets(): Promise<string[]> {
      const keys = (await redis.command('KEYS', '*:ticket:*')) as string[];
      const all = await Promise.all(keys.map((key) => redis.command('GET', key)));
      return all.map(String).filter((ticket) => ticket.includes('"future"'));
    }
  });
}
