import { createHash } from 'node:crypto';
import type { RedisClient } from './client.ts';

/**
 * What runs inside Redis, in one step. Its first write is one that takes memory: a Redis that is full refuses that one, and
 * what comes after the first it lets through.
 */
export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
}

export function script(name: string, source: string): Script {
  return { name, source, sha: createHash('sha1').update(source).digest('hex') };
}

/**
 * Compare-and-swap of an interaction's ticket; those who watch are told in the same step.
 *
 * KEYS: the interaction, the ticket, the interaction's watchers, and the ticket that it takes the place of, if it does.
 * ARGV: what must be there now ('' for nothing), what is written to the interaction, the ticket, its milliseconds to live,
 * the prefix of the nodes' channels, and how the previous ticket ended, if it did, with its milliseconds to live.
 * The interaction holds a line that names the ticket and its version, then the ticket.
 */
export const SWAP: Script = script(
  'swap',
  `
local stored = redis.call('GET', KEYS[1])
if (stored or '') ~= '' then
  if ARGV[1] == '' or string.sub(stored, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
elseif ARGV[1] ~= '' then
  return 0
end
if ARGV[6] then redis.call('SET', KEYS[4], ARGV[6], 'PX', ARGV[7]) end
redis.call('SET', KEYS[1], ARGV[2] .. ARGV[3], 'PX', ARGV[4])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
for _, node in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  redis.call('PUBLISH', ARGV[5] .. node, ARGV[3])
end
return 1
`,
);

/** Notes that a node watches an interaction. KEYS: its watchers. ARGV: the node, milliseconds to live. */
export const WATCH: Script = script(
  'watch',
  `
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`,
);

/** The time by the clock of Redis, as seconds and microseconds. KEYS: any, so that a cluster asks the same machine. */
export const TIME: Script = script('time', "return redis.call('TIME')");

/** Tells a channel something. KEYS: any. ARGV: the channel, the message. */
export const PUBLISH: Script = script('publish', "return redis.call('PUBLISH', ARGV[1], ARGV[2])");

/**
 * Writes a record of oidc-provider; what was consumed stays so. KEYS: the record. ARGV: the payload, milliseconds to live ('' for no
 * end), and when it was consumed, if it was.
 */
export const PUT_RECORD: Script = script(
  'upsert',
  `
redis.call('HSET', KEYS[1], 'payload', ARGV[1])
if ARGV[3] then redis.call('HSETNX', KEYS[1], 'consumed', ARGV[3]) end
if ARGV[2] == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
`,
);

/**
 * Marks a record as consumed, once. KEYS: the record. ARGV: the moment.
 * Returns 1, 0 where it was consumed before, -1 where there is none: what is gone does not come back.
 */
export const CONSUME_RECORD: Script = script(
  'consume',
  `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
return redis.call('HSETNX', KEYS[1], 'consumed', ARGV[1])
`,
);

/** Takes a record out. KEYS: the record. Returns its payload, or false. */
export const TAKE_RECORD: Script = script(
  'destroy',
  `
local payload = redis.call('HGET', KEYS[1], 'payload')
redis.call('DEL', KEYS[1])
return payload
`,
);

/** Makes a way to a record. KEYS: the way. ARGV: the record's id, milliseconds to live ('' for no end). */
export const POINT: Script = script(
  'upsert',
  `
if ARGV[2] == '' then return redis.call('SET', KEYS[1], ARGV[1]) end
return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
`,
);

/** Deletes a way to a record where it still leads there. KEYS: the way. ARGV: the record's id. */
export const DELETE_IF: Script = script(
  'destroy',
  `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`,
);

/**
 * Adds a record to its grant, which lives as long as the one of its records that lives longest, and lets go of those whose
 * time has passed. KEYS: the grant. ARGV: the record, milliseconds to live ('' for no end).
 */
export const JOIN_GRANT: Script = script(
  'upsert',
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], ARGV[2] == '' and '+inf' or now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(0', '(' .. now)
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if last == 'inf' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIREAT', KEYS[1], last) end
return 1
`,
);

/** Whether a record belongs to its grant, and is not marked as revoked. KEYS: the grant. ARGV: the record. */
export const IN_GRANT: Script = script(
  'upsert',
  "return tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0) > 0 and 1 or 0",
);

/**
 * Marks the records of a grant as revoked, by the score 0: who is just writing one finds that out, and takes it back. KEYS: the
 * grant. Returns the records.
 */
export const MARK_REVOKED: Script = script(
  'revoke',
  `
-- No memory is taken here: what removes comes first, so that a Redis that is full lets the rest through.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(0', '(1')
local records = redis.call('ZRANGE', KEYS[1], 0, -1)
for _, record in ipairs(records) do redis.call('ZADD', KEYS[1], 0, record) end
return records
`,
);

/** Takes records out of a grant that are still marked as revoked. KEYS: the grant. ARGV: the records. */
export const LEAVE_GRANT: Script = script(
  'revoke',
  `
for _, record in ipairs(ARGV) do
  if tonumber(redis.call('ZSCORE', KEYS[1], record) or 1) == 0 then redis.call('ZREM', KEYS[1], record) end
end
return 1
`,
);

export async function runScript(
  client: RedisClient,
  script: Script,
  keys: string[],
  values: string[],
): Promise<unknown> {
  const call = { keys, arguments: values };
  try {
    return await client.evalSha(script.sha, call);
  } catch (error) {
    // This Redis has not seen it yet, or was restarted since.
    if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return client.eval(script.source, call);
    throw error;
  }
}
