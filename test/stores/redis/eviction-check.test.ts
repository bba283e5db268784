import { expect } from 'chai';
import { until } from '../../support/until.ts';
import { GENEROUS, storesMayTake } from '../patience.ts';
import { RedisProcess, startProcess } from './redis-process.ts';
import { useRestrictedRedis } from './restricted-redis.ts';

describe('the policy of Redis for a full memory', () => {
  storesMayTake(GENEROUS);
  const here = useRestrictedRedis();

  afterEach(async () => {
    await here().redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  });

  for (const [rights, extra] of Object.entries({ 'may read the setting': '+config|get', 'may use INFO': '+info' })) {
    it(`causes a warning if it is not noeviction and the user ${rights}`, async () => {
      await here().redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
      const process = new RedisProcess(await here().urlOfUser('&keyv:qr:*', extra));
      await until(() => here().warned('QR_LOGIN_EVICTION').length > 0);
      await untilPolicyChecked(process);
      expect(here().warned('QR_LOGIN_EVICTION')).to.have.length(1);
      expect(here().warned('QR_LOGIN_EVICTION')[0]).to.include('allkeys-lru');
      await process.close();
    });
  }

  it('causes no warning if it is noeviction, or if the user may not read it', async () => {
    const good = await startProcess(here().redis.url);
    await untilPolicyChecked(good);
    await good.close();
    await here().redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const blind = await startProcess(await here().urlOfUser('&keyv:qr:*'));
    await untilPolicyChecked(blind);
    await blind.close();
    expect(here().warned('QR_LOGIN_EVICTION')).to.deep.equal([]);
    expect([...good.troubles, ...blind.troubles]).to.deep.equal([]);
  });
});

/** Waits until the process has asked for the policy, which it does before the check of its signals ends. */
async function untilPolicyChecked(process: RedisProcess): Promise<void> {
  await process.untilAnswering();
  await process.untilListening();
}
