-- Sent in front of each script beside this one.
--
-- A place is an organization's live or test requests, or a key with limits of its own. Its keys:
--   rate          hash: tokens of the bucket, at (when they were counted, in ms)
--   leases        sorted set: lease -> when it lapses, in ms; its size is what runs at once
--   quota         hash of one month: used (characters charged), reserved (characters of what runs)
--   reservations  sorted set of one month: 'lease:characters' -> when it lapses; `reserved` is their sum

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function characters_of(reservation)
  return tonumber(string.match(reservation, ':(%d+)$'))
end

-- Takes what nobody renewed out of the sum of a quota that is there. Answers used and reserved.
local function standing_of(quota, reservations, now)
  local lapsed = redis.call('ZRANGEBYSCORE', reservations, '-inf', now)
  for _, reservation in ipairs(lapsed) do
    redis.call('ZREM', reservations, reservation)
    redis.call('HINCRBY', quota, 'reserved', -characters_of(reservation))
  end
  -- Where all of them lapsed, Redis may have dropped the set before anybody could subtract them.
  if redis.call('EXISTS', reservations) == 0 then redis.call('HSET', quota, 'reserved', 0) end
  local standing = redis.call('HMGET', quota, 'used', 'reserved')
  return tonumber(standing[1]), tonumber(standing[2])
end

-- Gives leases and their reservations back and counts what was charged.
-- From KEYS[key] on: of each place of each lease: leases, quota, reservations. From ARGV[argument] on: of each
-- lease: its name, characters reserved (0 where no month's counter is concerned), characters charged, and how
-- many places it has.
local function give_back(key, argument)
  while argument <= #ARGV do
    local lease, characters, charged = ARGV[argument], ARGV[argument + 1], ARGV[argument + 2]
    for _ = 1, tonumber(ARGV[argument + 3]) do
      local leases, quota, reservations = KEYS[key], KEYS[key + 1], KEYS[key + 2]
      redis.call('ZREM', leases, lease)
      if characters ~= '0' then
        local given_back = redis.call('ZREM', reservations, lease .. ':' .. characters)
        -- A counter that is not there is read from PostgreSQL when it is asked for.
        if redis.call('EXISTS', quota) == 1 then
          if given_back == 1 then redis.call('HINCRBY', quota, 'reserved', -tonumber(characters)) end
          redis.call('HINCRBY', quota, 'used', charged)
        end
      end
      key = key + 3
    end
    argument = argument + 4
  end
end

-- Asked for twice, a reservation counts once.
local function reserve(quota, reservations, reservation, lapses, lifetime)
  if redis.call('ZADD', reservations, lapses, reservation) == 1 and redis.call('EXISTS', quota) == 1 then
    redis.call('HINCRBY', quota, 'reserved', characters_of(reservation))
  end
  redis.call('PEXPIRE', reservations, lifetime)
end
