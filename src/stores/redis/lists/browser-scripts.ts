import { type Script, script } from '../scripts.ts';

/*
 * An account's browsers are a hash. The field is the browser's id. The value is a line with the times of its last use
 * and of its end, followed by the JSON of the rest, which a script only compares. So no script encodes JSON.
 */

/** Sets `now` to the time of Redis, in milliseconds since the epoch. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Puts a browser on its account's list, and removes the browsers whose end has passed. If there are too many, it
 * removes those that have not been used for the longest time.
 * KEYS: the list. ARGV: the browser's id, the browser, the maximum number of browsers.
 * Returns the browsers that were removed because there were too many.
 */
export const PUT_BROWSER: Script = script(
  'put',
  `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
${NOW}
local list, alive, last = redis.call('HGETALL', KEYS[1]), {}, 0
for at = 1, #list, 2 do
  local used, ends = string.match(list[at + 1], '^(%d+) (%d+)\\n')
  if tonumber(ends) <= now then
    redis.call('HDEL', KEYS[1], list[at])
  else
    last = math.max(last, tonumber(ends))
    if list[at] ~= ARGV[1] then table.insert(alive, { list[at], tonumber(used), list[at + 1] }) end
  end
end
table.sort(alive, function(one, other) return one[2] < other[2] end)
local gone = {}
for at = 1, #alive + 1 - tonumber(ARGV[3]) do
  redis.call('HDEL', KEYS[1], alive[at][1])
  table.insert(gone, alive[at][3])
end
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last))
return gone
`,
);

/**
 * Records a use of a browser, if it is on the list.
 * KEYS: the list. ARGV: the browser's id, the time of the use, the browser's new end.
 * Returns 1, or 0 if the browser is not on the list.
 */
export const USE_BROWSER: Script = script(
  'use',
  `
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if not stored then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. string.sub(stored, (string.find(stored, '\\n'))))
${NOW}
if tonumber(ARGV[3]) - now > redis.call('PTTL', KEYS[1]) then redis.call('PEXPIREAT', KEYS[1], ARGV[3]) end
return 1
`,
);

/**
 * Replaces the rest of a browser, if it is on the list and still as it was read. Its times stay.
 * KEYS: the list. ARGV: the browser's id, the JSON of the rest as it was read, the JSON to write.
 * Returns 1, or 0 if the browser is not on the list, or -1 if it has changed.
 */
export const RENAME_BROWSER: Script = script(
  'rename',
  `
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if not stored then return 0 end
local line = string.find(stored, '\\n')
if string.sub(stored, line + 1) ~= ARGV[2] then return -1 end
redis.call('HSET', KEYS[1], ARGV[1], string.sub(stored, 1, line) .. ARGV[3])
return 1
`,
);

/** Returns all browsers on the list, including those whose end has passed. KEYS: the list. */
export const LIST_BROWSERS: Script = script('find', "return redis.call('HVALS', KEYS[1])");

/** Removes a browser from the list. KEYS: the list. ARGV: the browser's id. */
export const REMOVE_BROWSER: Script = script('remove', "return redis.call('HDEL', KEYS[1], ARGV[1])");
