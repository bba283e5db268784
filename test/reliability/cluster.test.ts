import { expect } from 'chai';
import { PATIENCE_MS } from '../../src/stores/deadline.ts';
import { sizeOfSuite } from '../support/full-suite.ts';
import { Nodes } from '../support/nodes.ts';
import { PageVisitor, patiently } from '../support/page-visitor.ts';
import type { RedisServer } from '../support/redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import { eventually } from '../support/until.ts';
import { PhoneVisitor } from '../support/visitors.ts';

/** The number of sign-ins in each state. Their records are spread over all masters. */
const SIGN_INS = sizeOfSuite({ short: 2, full: 6 });

interface SignIn {
  readonly browser: PageVisitor;
  readonly phone: PhoneVisitor;
  readonly user: string;
}

describe('the kill of a Redis Cluster’s master while users sign in', function () {
  this.timeout(180_000);
  let cluster: RedisCluster;
  let replica: RedisServer;
  let nodes: Nodes;
  let people = 0;

  before(async () => {
    cluster = await startRedisCluster();
    replica = await cluster.addReplica(victim());
    nodes = await Nodes.start({
      // A new connection must not ask the master that the test kills.
      redis: { rootNodes: cluster.rootNodes.filter(({ url }) => url !== victim().url) },
      nodes: [{}, {}],
      people: 100,
      storePatience: PATIENCE_MS,
    });
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(nodes?.complaints ?? '');
  });

  after(async () => {
    await nodes?.stop();
    await cluster?.stop();
  });

  it('delays the users by the seconds of the failover, and loses no sign-in', async () => {
    const scanned = await Promise.all(Array.from({ length: SIGN_INS }, scan));
    const approved = await Promise.all(Array.from({ length: SIGN_INS }, scan));
    for (const { phone } of approved) expect(await phone.approve()).to.include({ state: 'approved' });
    // Redis acknowledges a write before its replica has it, and a failover loses the writes that the replica does not
    // have.
    const offset = Number(await victim().info('master_repl_offset'));
    await eventually(
      'the replica is up to date',
      async () => Number(await replica.info('slave_repl_offset')) >= offset,
    );
    await victim().kill();

    const began = scan();
    await Promise.all([
      ...approved.map(finish),
      ...scanned.map(async (signIn) => {
        expect(await signIn.phone.approve()).to.include({ state: 'approved' });
        await finish(signIn);
      }),
      began.then(async (signIn) => {
        await signIn.phone.approve();
        await finish(signIn);
      }),
    ]);
    expect(await replica.info('role')).to.include('master');
  });

  function victim(): RedisServer {
    const [first] = cluster.servers;
    if (first === undefined) throw new Error('the cluster has no master');
    return first;
  }

  async function scan(): Promise<SignIn> {
    const user = `user${people++}`;
    const network = patiently(nodes.roundRobin());
    const browser = new PageVisitor(nodes.site, network);
    const phone = new PhoneVisitor(nodes.site, network);
    await browser.start();
    await phone.signInAt(`${nodes.issuer}/account`, user);
    expect((await phone.scan(await browser.code())).status).to.equal(200);
    return { browser, phone, user };
  }

  async function finish({ browser, user }: SignIn): Promise<void> {
    await browser.untilState('approved');
    const { redirectTo } = (await browser.finish()).json();
    expect((await browser.tokens(redirectTo)).claims()?.sub).to.equal(user);
  }
});
