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

-- Asked for twice, a reservation counts once.
local function reserve(quota, reservations, reservation, lapses, lifetime)
  if redis.call('ZADD', reservations, lapses, reservation) == 1 and redis.call('EXISTS', quota) == 1 then
    redis.call('HINCRBY', quota, 'reserved', characters_of(reservation))
  end
  redis.call('PEXPIRE', reservations, lifetime)
end
