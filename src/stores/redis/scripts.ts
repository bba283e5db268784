import { createHash } from 'node:crypto';
import type { RedisClient } from './client.ts';

/**
 * A Lua script that runs inside Redis in one step. Its first write command must be one that takes memory (flag
 * `denyoom`): a Redis that is out of memory checks only the first write, and then lets the others through.
 */
export interface Script {
  readonly name: string;
  readonly source: string;
  readonly sha: string;
}

/** The sources of all scripts that were made while the modules were loaded. */
const sources = new Set<string>();

export function script(name: string, source: string): Script {
  sources.add(source);
  return { name, source, sha: createHash('sha1').update(source).digest('hex') };
}

/**
 * Compares and swaps an interaction's ticket, and publishes it to the nodes that watch the interaction.
 *
 * KEYS: the interaction, the ticket, the interaction's watchers, and the ticket that is replaced, if there is one.
 * ARGV: the line that must be there now ('' for nothing), the line to write, the ticket, its milliseconds to live, the
 * prefix of the nodes' channels, and, if a ticket is replaced, that ticket in its final state and its milliseconds to
 * live. The interaction's value is a line with the ticket's id and version, followed by the ticket. Returns 1 if the
 * ticket was written, otherwise 0. If it was written but Redis has refused to publish it, returns the reason: a write
 * that has happened must not look like a failure.
 */
export const SWAP: Script = script(
  'swap',
  `
local stored, refused = redis.call('GET', KEYS[1]), nil
if (stored or '') ~= '' then
  if ARGV[1] == '' or string.sub(stored, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
elseif ARGV[1] ~= '' then
  return 0
end
if ARGV[6] then redis.call('SET', KEYS[4], ARGV[6], 'PX', ARGV[7]) end
redis.call('SET', KEYS[1], ARGV[2] .. ARGV[3], 'PX', ARGV[4])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
for _, node in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  local sent = redis.pcall('PUBLISH', ARGV[5] .. node, ARGV[3])
  if type(sent) == 'table' then refused = sent.err end
end
return refused or 1
`,
);

/** Records that a node watches an interaction. KEYS: its watchers. ARGV: the node, milliseconds to live. */
export const WATCH: Script = script(
  'watch',
  `
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`,
);

/**
 * Returns the time of Redis, as seconds and microseconds. KEYS: one key of any name. In a cluster, the key
 * determines which node answers.
 */
export const TIME: Script = script('time', "return redis.call('TIME')");

/**
 * Publishes a message. KEYS: one key of any name. ARGV: the channel, the message.
 * Returns the number of receivers, or the reason if Redis has refused it.
 */
export const PUBLISH: Script = script(
  'publish',
  `
local sent = redis.pcall('PUBLISH', ARGV[1], ARGV[2])
return type(sent) == 'table' and sent.err or sent
`,
);

/** Writes a value that expires. KEYS: the value's key. ARGV: milliseconds to live. */
export const PROBE: Script = script('probe', "redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) return 1");

/**
 * Writes a record of oidc-provider. A record that was consumed before stays consumed.
 * KEYS: the record. ARGV: the payload, milliseconds to live ('' for no expiry), and optionally its consumption time.
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
 * Marks a record as consumed, once. KEYS: the record. ARGV: the time, and optionally the consumer.
 * Returns 1, also if this consumer has consumed it before, or 0 if it was consumed in another way, or -1 if there is no
 * such record. A missing record is not created.
 */
export const CONSUME_RECORD: Script = script(
  'consume',
  `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('HSETNX', KEYS[1], 'consumed', ARGV[1]) == 1 then
  if ARGV[2] then redis.call('HSET', KEYS[1], 'consumedBy', ARGV[2]) end
  return 1
end
return ARGV[2] and redis.call('HGET', KEYS[1], 'consumedBy') == ARGV[2] and 1 or 0
`,
);

/**
 * Claims a record for an exchange. KEYS: the record. ARGV: the exchange, the milliseconds that the claim lasts.
 * Returns 1, or 0 if it was consumed, or -1 if there is no such record, or 2 while another exchange has it.
 * The claim is a field of its own: the exchange, a space, and the end of the claim in milliseconds since the epoch.
 */
export const CLAIM_RECORD: Script = script(
  'claim',
  `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('HEXISTS', KEYS[1], 'consumed') == 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id, ends = string.match(redis.call('HGET', KEYS[1], 'claim') or '', '^(%S+) (%d+)$')
if id and id ~= ARGV[1] and tonumber(ends) > now then return 2 end
redis.call('HSET', KEYS[1], 'claim', ARGV[1] .. ' ' .. string.format('%.0f', now + ARGV[2]))
-- A record that expires in the middle of its exchange would not show whether it was consumed.
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and left < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1
`,
);

/**
 * Marks a record as consumed by the exchange that has claimed it. KEYS: the record. ARGV: the exchange, the time.
 * Returns 1, or 0 if another exchange has it or it was consumed in another way, or -1 if there is no such record.
 */
export const FINISH_RECORD: Script = script(
  'finish',
  `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local id = string.match(redis.call('HGET', KEYS[1], 'claim') or '', '^(%S+) ')
if id ~= ARGV[1] then return 0 end
if redis.call('HSETNX', KEYS[1], 'consumed', ARGV[2]) == 1 then
  redis.call('HSET', KEYS[1], 'consumedBy', id)
  return 1
end
return redis.call('HGET', KEYS[1], 'consumedBy') == id and 1 or 0
`,
);

/** Gives a record back, if this exchange has it. KEYS: the record. ARGV: the exchange. Returns 1. */
export const RELEASE_RECORD: Script = script(
  'release',
  `
if redis.call('HGET', KEYS[1], 'consumedBy') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'consumed', 'consumedBy')
end
local id = string.match(redis.call('HGET', KEYS[1], 'claim') or '', '^(%S+) ')
if id == ARGV[1] then redis.call('HDEL', KEYS[1], 'claim') end
return 1
`,
);

/** Deletes a record. KEYS: the record. Returns its payload, or false if it did not exist. */
export const TAKE_RECORD: Script = script(
  'destroy',
  `
local payload = redis.call('HGET', KEYS[1], 'payload')
redis.call('DEL', KEYS[1])
return payload
`,
);

/** Writes a lookup key. KEYS: the lookup key. ARGV: the record's id, milliseconds to live ('' for no expiry). */
export const POINT: Script = script(
  'upsert',
  `
if ARGV[2] == '' then return redis.call('SET', KEYS[1], ARGV[1]) end
return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
`,
);

/** Writes a key unless it exists. KEYS: the key. ARGV: milliseconds to live. Returns null if it exists. */
export const CLAIM: Script = script(
  'claim',
  `
return redis.call('SET', KEYS[1], '1', 'PX', ARGV[1], 'NX')
`,
);

/** Deletes a lookup key if it still leads to this record. KEYS: the lookup key. ARGV: the record's id. */
export const DELETE_IF: Script = script(
  'destroy',
  `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`,
);

/**
 * Creates an empty record, unless it exists. KEYS: the record. ARGV: milliseconds to live.
 * Returns 1, or 0 if the record exists: of several concurrent callers, one gets 1.
 */
export const RESERVE_RECORD: Script = script(
  'find',
  `
if redis.call('HSETNX', KEYS[1], 'payload', '{}') == 0 then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
`,
);

/**
 * The one member of a grant that is not a record, but marks the grant as closed. Its score is the time until which the
 * grant stays closed. No record has this name, because the names of records contain a hash sign or a colon.
 */
const CLOSED = 'closed';

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** An expression: true if the grant KEYS[1] is closed. */
const IS_CLOSED = `tonumber(redis.call('ZSCORE', KEYS[1], '${CLOSED}') or 0) > now`;

/** Adds the record ARGV[1], which lives for ARGV[2] milliseconds, to the grant KEYS[1]. */
const JOIN = `
redis.call('ZADD', KEYS[1], ARGV[2] == '' and '+inf' or now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(0', '(' .. now)
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
if last == 'inf' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIREAT', KEYS[1], last) end
`;

/**
 * Adds a record to its grant, and removes expired records from it. The grant expires with the last of its records.
 * KEYS: the grant. ARGV: the record, milliseconds to live ('' for no expiry).
 * Returns 1, or 0 if the grant is closed.
 */
export const JOIN_GRANT: Script = script(
  'upsert',
  `${NOW}
if ${IS_CLOSED} then return 0 end
${JOIN}
return 1
`,
);

/**
 * Writes a record and adds it to its grant, in one step; if the grant is closed, deletes the record instead. Not for a
 * cluster, where the two may be in different slots. KEYS: the grant, the record. ARGV: the record's name, milliseconds
 * to live ('' for no expiry), the payload, and optionally its consumption time.
 */
export const PUT_IN_GRANT: Script = script(
  'upsert',
  `${NOW}
if ${IS_CLOSED} then return redis.call('DEL', KEYS[2]) end
${JOIN}
redis.call('HSET', KEYS[2], 'payload', ARGV[3])
if ARGV[4] then redis.call('HSETNX', KEYS[2], 'consumed', ARGV[4]) end
if ARGV[2] == '' then redis.call('PERSIST', KEYS[2]) else redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
return 1
`,
);

/** Returns 1 if a record is in its grant and not marked as revoked, otherwise 0. KEYS: the grant. ARGV: the record. */
export const IN_GRANT: Script = script(
  'upsert',
  "return tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0) > 0 and 1 or 0",
);

/**
 * Marks the records of a grant as revoked, by the score 0. A process that is writing one of them at this moment finds
 * the mark and deletes its record again. KEYS: the grant. ARGV: optionally the milliseconds for which the grant is
 * closed.
 * Returns the records.
 */
export const MARK_REVOKED: Script = script(
  'revoke',
  `
-- The first write takes no memory, so that a Redis that is out of memory lets all of them through. It removes nothing.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(0', '(1')
local records = {}
for _, record in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if record ~= '${CLOSED}' then
    redis.call('ZADD', KEYS[1], 0, record)
    records[#records + 1] = record
  end
end
if ARGV[1] then
  ${NOW}
  redis.call('ZADD', KEYS[1], now + ARGV[1], '${CLOSED}')
  -- While there are records, the grant lives at least as long as before: they may have to be revoked once more.
  local left = redis.call('PTTL', KEYS[1])
  if #records == 0 or left >= 0 and left < tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
end
return records
`,
);

/**
 * Removes those records from a grant that are still marked as revoked. A closed grant without records lives as long as
 * it is closed. KEYS: the grant. ARGV: the records.
 */
export const LEAVE_GRANT: Script = script(
  'revoke',
  `
for _, record in ipairs(ARGV) do
  if tonumber(redis.call('ZSCORE', KEYS[1], record) or 1) == 0 then redis.call('ZREM', KEYS[1], record) end
end
local closed = redis.call('ZSCORE', KEYS[1], '${CLOSED}')
if closed and redis.call('ZCARD', KEYS[1]) == 1 then redis.call('PEXPIREAT', KEYS[1], closed) end
return 1
`,
);

/**
 * Counts a request of a limit. KEYS: the counter. ARGV: the points of the request, the seconds of the window.
 * Returns the points of the window, and the milliseconds until it ends.
 */
export const COUNT: Script = script(
  'limit',
  `
redis.call('SET', KEYS[1], 0, 'EX', ARGV[2], 'NX')
local points = redis.call('INCRBY', KEYS[1], ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left == -1 then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  left = 1000 * ARGV[2]
end
return { points, left }
`,
);

/** Reads a value. KEYS: the value's key. */
export const GET: Script = script('find', "return redis.call('GET', KEYS[1])");

/** Reads fields of a hash. KEYS: the hash. ARGV: the fields. */
export const GET_FIELDS: Script = script('find', "return redis.call('HMGET', KEYS[1], unpack(ARGV))");

/**
 * Runs steps, which are scripts of their own, one after the other. KEYS: those of all steps. ARGV: for each step, the
 * number of its script, how many keys and how many values it has, and the values. Returns a pair for each step: 1 and
 * its answer, or 0 and its error.
 */
const RUN_STEPS = `
local answers, key, at = {}, 0, 1
while ARGV[at] do
  local step, keys, values = steps[tonumber(ARGV[at])], {}, {}
  local key_count, value_count = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  for n = 1, key_count do keys[n] = KEYS[key + n] end
  for n = 1, value_count do values[n] = ARGV[at + 2 + n] end
  key, at = key + key_count, at + 3 + value_count
  local done, answer = pcall(step, keys, values)
  if not done then answer = type(answer) == 'table' and answer.err or tostring(answer) end
  answers[#answers + 1] = { done and 1 or 0, answer }
end
return answers
`;

/** A script that contains all others, and the number that each has in it. */
export interface ScriptOfAll {
  readonly script: Script;
  readonly numberOf: (script: Script) => number;
}

let whole: ScriptOfAll | undefined;

/**
 * Returns the script that runs any others as steps. It is the same in all processes of a build, because Redis keeps
 * each script that it has seen.
 */
export function scriptOfAll(): ScriptOfAll {
  whole ??= makeWhole([...sources].sort());
  return whole;
}

function makeWhole(sorted: readonly string[]): ScriptOfAll {
  const numbers = new Map(sorted.map((source, index) => [source, index + 1]));
  const steps = sorted.map((source) => `function(KEYS, ARGV)\n${source}\nend`);
  const text = `local steps = {\n${steps.join(',\n')}\n}\n${RUN_STEPS}`;
  return { script: script('steps', text), numberOf: ({ source }) => numbers.get(source) ?? 0 };
}

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
    // This Redis does not have the script, for example because it was restarted.
    if (error instanceof Error && error.message.startsWith('NOSCRIPT')) return client.eval(script.source, call);
    throw error;
  }
}
