/** Opens the store of the example: Redis if there is a URL for it, otherwise the memory of this process. */
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';

export function storeFrom(redisUrl: string | undefined): Keyv {
  if (redisUrl === undefined) return new Keyv();
  const redis = new KeyvRedis({ url: redisUrl, socket: { connectTimeout: 1_000 } });
  reportChanges(redis);
  return new Keyv({ store: redis });
}

/** Writes one line when Redis fails and one when it is back, but none for the attempts to reconnect. */
function reportChanges(redis: KeyvRedis<unknown>): void {
  let isDown = false;
  redis.on('error', ({ message, code }: NodeJS.ErrnoException) => {
    if (!isDown) process.stderr.write(`Redis: ${message || code}\n`);
    isDown = true;
  });
  redis.client.on('ready', () => {
    if (isDown) process.stderr.write('Redis is back.\n');
    isDown = false;
  });
}
