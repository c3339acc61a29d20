/**
 * Atomic operations, as Lua scripts (https://redis.io/docs/latest/develop/programmability/eval-intro/). All input is
 * passed as arguments, never spliced into a script.
 */

/** The registry's keys, in the order the scripts expect. */
export const KEYS = [
  // Hash: user → "<registration> <protocol> <host> <port>".
  "talk:users",
  // Hash: user or reserved name → hash of the owner's secret.
  "talk:owners",
  // Sorted set: reserved names, by expiry time.
  "talk:reserved",
  // A new random number after every change, so that a Redis that lost its data never repeats a version.
  "talk:version",
] as const;

/** The key of the checker's lease. */
export const CHECKER_KEY = "talk:checker";

/** Common arguments: the user, the claim or "", the time, a random number for the registration and the version. */
const COMMON = `
  local users, owners, reserved, version = unpack(KEYS)
  local user, claim, now, id = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]

  local function refusal(owner)
    if not owner or claim == '*' or claim == owner then return nil end
    return claim == '' and 'unauthorized' or 'forbidden'
  end

  -- Why a new user with that name is refused; if it is not, its expired reservation is deleted.
  local function refusalOfNew()
    local till = redis.call('ZSCORE', reserved, user)
    if not till then return nil end
    local refused = tonumber(till) > now and refusal(redis.call('HGET', owners, user))
    if refused then return refused end
    redis.call('ZREM', reserved, user)
    redis.call('HDEL', owners, user)
  end

  local function keep(address)
    redis.call('HSET', users, user, id .. ' ' .. address)
    redis.call('SET', version, id)
  end

  local function own()
    if claim ~= '' and claim ~= '*' then redis.call('HSET', owners, user, claim) end
  end

  local function drop()
    redis.call('HDEL', users, user)
    redis.call('SET', version, id)
  end
`;

/** Further arguments: the address, the most users. */
export const CREATE = `${COMMON}
  if redis.call('HEXISTS', users, user) == 1 then
    return claim ~= '' and redis.call('HGET', owners, user) == claim and 'own' or 'taken'
  end
  if refusalOfNew() then return 'reserved' end
  if redis.call('HLEN', users) >= tonumber(ARGV[6]) then return 'full' end
  keep(ARGV[5])
  own()
  return 'done'
`;

/** Further arguments: the address, the most users; then user, claim, random number and address of each further PUT. */
export const PUT = `${COMMON}
  local most = tonumber(ARGV[6])

  local function put(address)
    local new = redis.call('HEXISTS', users, user) == 0
    local refused
    if new then refused = refusalOfNew() else refused = refusal(redis.call('HGET', owners, user)) end
    if refused then return refused end
    if new and redis.call('HLEN', users) >= most then return 'full' end
    keep(address)
    if new then own() end
    return 'done'
  end

  local answers = { put(ARGV[5]) }
  for i = 7, #ARGV, 4 do
    user, claim, id = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    answers[#answers + 1] = put(ARGV[i + 3])
  end
  return answers
`;

export const MAY_CHANGE = `${COMMON}
  if redis.call('HEXISTS', users, user) == 0 then return 'absent' end
  return refusal(redis.call('HGET', owners, user)) or 'done'
`;

export const REMOVE = `${COMMON}
  if redis.call('HEXISTS', users, user) == 0 then return 'absent' end
  local refused = refusal(redis.call('HGET', owners, user))
  if refused then return refused end
  drop()
  redis.call('HDEL', owners, user)
  return 'done'
`;

/** Further arguments: the registration, when the reservation expires, the most reservations. */
export const EXPIRE = `${COMMON}
  local known = redis.call('HGET', users, user)
  if not known or string.match(known, '^%S+') ~= ARGV[5] then return 0 end
  drop()
  if redis.call('HEXISTS', owners, user) == 1 then
    redis.call('ZADD', reserved, ARGV[6], user)
    if redis.call('ZCARD', reserved) > tonumber(ARGV[7]) then
      redis.call('HDEL', owners, redis.call('ZPOPMIN', reserved)[1])
    end
  end
  return 1
`;

export const RELEASE = `${COMMON}
  return redis.call('HDEL', owners, user) + redis.call('ZREM', reserved, user)
`;

/** Key: the lease. Arguments: the registry, the duration in milliseconds. */
export const LEASE = `
  local holder = redis.call('GET', KEYS[1])
  if holder and holder ~= ARGV[1] then return 0 end
  if ARGV[2] == '0' then
    redis.call('DEL', KEYS[1])
  else
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  end
  return 1
`;

/** A name no user can have, so that trials touch nobody's data. */
export const NOBODY = ".";

/**
 * Writes to all keys and leaves them unchanged. Keys: KEYS and the lease; argument: NOBODY. Deletions are tried first: if
 * they are forbidden, nothing has been added yet.
 */
export const TRIAL = `
  local users, owners, reserved, version, checker = unpack(KEYS)
  local nobody = ARGV[1]
  redis.call('ZREM', reserved, nobody)
  for _, hash in ipairs({ users, owners }) do
    redis.call('HDEL', hash, nobody)
    redis.call('HSET', hash, nobody, '')
    redis.call('HDEL', hash, nobody)
  end
  redis.call('ZADD', reserved, '-inf', nobody)
  local popped = redis.pcall('ZPOPMIN', reserved)
  redis.call('ZREM', reserved, nobody)
  if popped.err then return popped end
  for _, key in ipairs({ version, checker }) do
    local was = redis.call('GET', key)
    if was then
      redis.call('SET', key, was, 'KEEPTTL')
    else
      redis.call('DEL', key)
      redis.call('SET', key, '', 'PX', 1)
      redis.call('DEL', key)
    end
  end
  return 0
`;
