import { withDeadline } from '../deadline.ts';
import type { RedisClient } from './client.ts';

const SETTING = 'maxmemory-policy';
const SAFE_POLICY = 'noeviction';

/**
 * Warns once if Redis drops keys when it is full: with any policy but `noeviction` it silently drops sign-ins and
 * sessions.
 */
export class EvictionCheck {
  #isDone = false;

  /**
   * Asks Redis for its policy, and never throws. If the Redis user of the plugin has no right to ask, there is no
   * warning.
   */
  async check(client: RedisClient): Promise<void> {
    if (this.#isDone) return;
    const policy = await findPolicy(client);
    if (policy === undefined || this.#isDone) return;
    this.#isDone = true;
    if (policy !== SAFE_POLICY) warn(policy);
  }
}

/** Returns the policy, or undefined if Redis does not disclose it. */
async function findPolicy(client: RedisClient): Promise<string | undefined> {
  return (
    (await ask(async () => (await client.configGet(SETTING))[SETTING])) ??
    (await ask(async () => /^maxmemory_policy:(\S+)/m.exec(await client.info('memory'))?.[1]))
  );
}

/** Returns the answer to a command, or undefined if Redis refuses it or does not answer in time. */
async function ask(command: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await withDeadline(command());
  } catch {
    return undefined;
  }
}

function warn(policy: string): void {
  process.emitWarning(
    `the maxmemory-policy of Redis is ${policy}, so it drops sign-ins and sessions when it is full; set it to ${SAFE_POLICY}`,
    { type: 'QrLoginWarning', code: 'QR_LOGIN_EVICTION' },
  );
}
