/**
 * Runs a provider on Redis and one in memory: each serves one sign-in and stops. After that, nothing must keep this
 * process alive.
 */
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';
import { World } from './world.ts';

const onRedis = new Keyv({ store: new KeyvRedis(process.env.REDIS_URL) });
const inMemory = new Keyv();

for (const store of [onRedis, inMemory]) {
  const world = await World.start({ store });
  const { browser } = await world.meet();
  const stream = await browser.events();
  await stream.ticket('waiting');
  await world.stop();
  stream.close();
}
await onRedis.disconnect();
process.stdout.write('stopped\n');
