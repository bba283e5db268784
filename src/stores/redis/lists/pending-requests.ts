import { MOST_REQUESTS, type PendingRequest, type PendingRequests } from '../../../ticket/requests/pending-request.ts';
import type { RedisKeyNames } from '../key-names.ts';
import type { RedisLink } from '../link.ts';
import { type Script, script } from '../scripts.ts';

/*
 * The pending requests of an account are a hash. The field is the sender. The value is a line with the time at which
 * the request ends and its id, followed by the JSON of the rest, which no script reads.
 */

/**
 * Adds a request, unless its sender has one already or the account has too many. Removes those whose end has passed.
 * KEYS: the account's requests. ARGV: the sender, the request, the maximum number.
 * Returns 1, or 0 if it was not added.
 */
const ADD_REQUEST: Script = script(
  'put',
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local list, ended, alive = redis.call('HGETALL', KEYS[1]), {}, 0
local last = tonumber(string.match(ARGV[2], '^(%d+) '))
for at = 1, #list, 2 do
  local ends = tonumber(string.match(list[at + 1], '^(%d+) '))
  if ends <= now then
    table.insert(ended, list[at])
  elseif list[at] == ARGV[1] then
    return 0
  else
    alive, last = alive + 1, math.max(last, ends)
  end
end
if alive >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
for _, sender in ipairs(ended) do
  if sender ~= ARGV[1] then redis.call('HDEL', KEYS[1], sender) end
end
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', last))
return 1
`,
);

/**
 * Returns the requests whose end has not passed: senders and requests by turns. It asks the same clock as the script
 * that adds, so that an ended request neither is on the list nor takes up room. KEYS: the account's requests.
 */
const LIST_REQUESTS: Script = script(
  'find',
  `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local list, live = redis.call('HGETALL', KEYS[1]), {}
for at = 1, #list, 2 do
  if tonumber(string.match(list[at + 1], '^(%d+) ')) > now then
    table.insert(live, list[at])
    table.insert(live, list[at + 1])
  end
end
return live
`,
);

/** Removes a request. KEYS: the account's requests. ARGV: the id of the request. */
const REMOVE_REQUEST: Script = script(
  'remove',
  `
local list = redis.call('HGETALL', KEYS[1])
for at = 1, #list, 2 do
  if string.match(list[at + 1], '^%d+ (%S+)\\n') == ARGV[1] then redis.call('HDEL', KEYS[1], list[at]) end
end
return 1
`,
);

/** Pending requests in Redis, for any number of processes: one hash for each account, and one script for each step. */
export class RedisPendingRequests implements PendingRequests {
  readonly #link: RedisLink;
  readonly #keys: RedisKeyNames;

  constructor(link: RedisLink, keys: RedisKeyNames) {
    this.#link = link;
    this.#keys = keys;
  }

  async add(accountId: string, { id, sender, endsAt, ...rest }: PendingRequest): Promise<boolean> {
    const stored = `${Math.round(endsAt)} ${id}\n${JSON.stringify(rest)}`;
    return (await this.#run(ADD_REQUEST, accountId, sender, stored, `${MOST_REQUESTS}`)) === 1;
  }

  async list(accountId: string): Promise<readonly PendingRequest[]> {
    return parse(await this.#run(LIST_REQUESTS, accountId));
  }

  async remove(accountId: string, id: string): Promise<void> {
    await this.#run(REMOVE_REQUEST, accountId, id);
  }

  #run(step: Script, accountId: string, ...values: string[]): Promise<unknown> {
    return this.#link.run(step, [this.#keys.requests(accountId)], values);
  }
}

function parse(list: unknown): PendingRequest[] {
  if (!Array.isArray(list)) throw new TypeError('Redis did not return the requests of an account');
  const requests: PendingRequest[] = [];
  for (let at = 0; at < list.length; at += 2) {
    const [, endsAt, id = '', rest = '{}'] = /^(\d+) (\S+)\n(.*)$/s.exec(String(list[at + 1])) ?? [];
    requests.push({ ...JSON.parse(rest), id, sender: String(list[at]), endsAt: Number(endsAt) });
  }
  return requests;
}
