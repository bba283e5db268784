/** Where everything is kept: in Redis where there is an address for it, else in the memory of this process. */
import KeyvRedis from '@keyv/redis';
import { Keyv } from 'keyv';

export function storeFrom(redisUrl: string | undefined): Keyv {
  if (redisUrl === undefined) return new Keyv();
  const redis = new KeyvRedis({ url: redisUrl, socket: { connectTimeout: 1_000 } });
  reportChanges(redis);
  return new Keyv({ store: redis });
}

/** One line when Redis goes, and one when it is back: not one for every attempt in between. */
function reportChanges(redis: KeyvRedis<unknown>): void {
  let trouble = false;
  redis.on('error', ({ message, code }: NodeJS.ErrnoException) => {
    if (!trouble) process.stderr.write(`Redis: ${message || code}\n`);
    trouble = true;
  });
  redis.client.on('ready', () => {
    if (trouble) process.stderr.write('Redis is back.\n');
    trouble = false;
  });
}
