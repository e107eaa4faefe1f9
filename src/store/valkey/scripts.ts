/**
 * What is asked of the shared store, each batch as one script: it runs as a whole or not at all, and nobody comes in between.
 *
 * ```
 * w:format         the version of what stands here
 * w:e:SLOT         hash: packed key → packed entry
 * w:c:KEY          the id of who claims the key; expires, so that the claims of the dead take no memory for ever
 * w:a:ID           there as long as ID lives; expires unless it is renewed
 * w:s:BUCKET       hash: the six counts of a bucket
 * w:m:STORE        hash: bucket → what a migration from that store has given
 * w:b:SOURCE       number of the last batch of counts that came from SOURCE
 * ```
 *
 * Names of keys are made within, from what is handed in: so they need one server, and no cluster.
 * Source: https://valkey.io/topics/eval-intro.
 */
import { createHash } from 'node:crypto';

export interface Script {
  readonly name: string;
  readonly lua: string;
  readonly sha: string;
  /** changes nothing, and so is run by a store that is full */
  readonly reads: boolean;
}

export const FORMAT_KEY = 'w:format';
export const FORMAT = '1';
export const ENTRIES = 'w:e:';
export const CLAIMS = 'w:c:';
export const ALIVE = 'w:a:';
export const BUCKETS = 'w:s:';
export const SOURCES = 'w:b:';
export const GIVEN = 'w:m:';

/** Answers of `CLAIM` in place of an entry, and of `PUBLISH`. */
export const NOTHING = 0;
export const WON = 1;
export const HELD = 2;

/** `mine` and `living` of a list of ids that begins behind `at` with its length; `at` is where the rest begins afterwards. */
const IDS = `
local mine, known, at = {}, {}, 1
local function ids()
  local first = ARGV[at + 1]
  for nth = at + 1, at + tonumber(ARGV[at]) do mine[ARGV[nth]] = true end
  at = at + tonumber(ARGV[at]) + 1
  return first
end
local function living(holder)
  if known[holder] == nil then known[holder] = redis.call('EXISTS', '${ALIVE}' .. holder) == 1 end
  return known[holder]
end
`;

/** ids, ms that the first lives, ms that claims stay, how many claim, (slot, key) of each, of those who claim first → entry, or what else */
export const CLAIM = script(
  'claim',
  `${IDS}
local id = ids()
local lives, stays, claims = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
at = at + 3
local said, won = {}, {}
for slot = at, #ARGV, 2 do
  local key, nth = ARGV[slot + 1], (slot - at) / 2 + 1
  local entry = redis.call('HGET', '${ENTRIES}' .. ARGV[slot], key)
  local holder = not entry and redis.call('GET', '${CLAIMS}' .. key)
  if entry then said[nth] = entry
  elseif nth <= claims and (not holder or mine[holder] or not living(holder)) then
    said[nth] = ${WON}
    if holder ~= id then won[#won + 1] = key end
  elseif holder and not mine[holder] and living(holder) then said[nth] = ${HELD}
  else said[nth] = ${NOTHING} end
end
if claims > 0 then redis.call('SET', '${ALIVE}' .. id, '1', 'PX', lives) end
for _, key in ipairs(won) do redis.call('SET', '${CLAIMS}' .. key, id, 'PX', stays) end
return said`,
);

/** (slot, key) of each → entry or nothing */
export const LOOK = script(
  'look',
  `local said = {}
for slot = 1, #ARGV, 2 do
  local entry = redis.call('HGET', '${ENTRIES}' .. ARGV[slot], ARGV[slot + 1])
  if entry then said[(slot + 1) / 2] = entry else said[(slot + 1) / 2] = ${NOTHING} end
end
return said`,
  true,
);

/** ids, (slot, key, entry) of each → WON where it stands there now, HELD where another holds the key, else NOTHING: another stands there */
export const PUBLISH = script(
  'publish',
  `${IDS}
ids()
local said = {}
for slot = at, #ARGV, 3 do
  local key, nth = ARGV[slot + 1], (slot - at) / 3 + 1
  local claim = '${CLAIMS}' .. key
  local holder = redis.call('GET', claim)
  if holder and not mine[holder] and living(holder) then said[nth] = ${HELD}
  else
    said[nth] = redis.call('HSETNX', '${ENTRIES}' .. ARGV[slot], key, ARGV[slot + 2])
    if holder then redis.call('DEL', claim) end
  end
end
return said`,
);

/** ids, keys → how many are free now */
export const RELEASE = script(
  'release',
  `${IDS}
ids()
local freed = 0
for nth = at, #ARGV do
  local claim = '${CLAIMS}' .. ARGV[nth]
  if mine[redis.call('GET', claim)] then freed = freed + redis.call('DEL', claim) end
end
return freed`,
);

/** id, ms that it lives */
export const RENEW = script('renew', `return redis.call('SET', '${ALIVE}' .. ARGV[1], '1', 'PX', ARGV[2])`);

/** ids that live no more */
export const LAPSE = script('lapse', `for _, id in ipairs(ARGV) do redis.call('DEL', '${ALIVE}' .. id) end return 0`);

/** (slot, key, what is in the entry) of each → how many entries are gone */
export const DROP = script(
  'drop',
  `local dropped = 0
for slot = 1, #ARGV, 3 do
  local entries = '${ENTRIES}' .. ARGV[slot]
  local entry = redis.call('HGET', entries, ARGV[slot + 1])
  if entry and string.find(entry, ARGV[slot + 2], 1, true) then dropped = dropped + redis.call('HDEL', entries, ARGV[slot + 1]) end
end
return dropped`,
);

/** source, number of the batch, seconds that the number stays, (bucket, six counts) of each → whether it was counted now */
export const COUNT = script(
  'count',
  `local last = redis.call('GET', '${SOURCES}' .. ARGV[1])
if last and tonumber(last) >= tonumber(ARGV[2]) then return 0 end
for nth = 4, #ARGV, 7 do
  local bucket = '${BUCKETS}' .. ARGV[nth]
  for field = 1, 6 do
    if ARGV[nth + field] ~= '0' then redis.call('HINCRBY', bucket, field, ARGV[nth + field]) end
  end
end
redis.call('SET', '${SOURCES}' .. ARGV[1], ARGV[2], 'EX', ARGV[3])
return 1`,
);

/** bucket → six counts */
export const READ_BUCKET = script('read', `return redis.call('HMGET', '${BUCKETS}' .. ARGV[1], 1, 2, 3, 4, 5, 6)`, true);

/** id, buckets → of each what was given by that store, as JSON */
export const GIVEN_BY = script(
  'given by',
  `local said = {}
for nth = 2, #ARGV do said[nth - 1] = redis.call('HGET', '${GIVEN}' .. ARGV[1], ARGV[nth]) end
return said`,
  true,
);

/** id, (bucket, what was given in all as JSON, six counts more) of each */
export const GIVE = script(
  'give',
  `for nth = 2, #ARGV, 8 do
  redis.call('HSET', '${GIVEN}' .. ARGV[1], ARGV[nth], ARGV[nth + 1])
  for field = 1, 6 do
    local more = ARGV[nth + 1 + field]
    if more ~= '0' then redis.call('HINCRBY', '${BUCKETS}' .. ARGV[nth], field, more) end
  end
end
return 0`,
);

function script(name: string, lua: string, reads = false): Script {
  return { name, lua, sha: createHash('sha1').update(lua).digest('hex'), reads };
}
