-- Admission in one call: what has ended is given back; then policy version, and at each place rate, concurrency
-- and the month's quota.
-- KEYS: 1 policy; then of each place, the organization first: rate, leases, quota, reservations
--       (one hash slot: all under {organization}); then those of what is given back.
-- ARGV: 1 policy version of the caller's identity, 2 "1" where that identity was just read from PostgreSQL, "2"
--       where it was read again and again and PostgreSQL insists (it may have been restored from a backup),
--       3 lease, 4 its lifetime in ms, 5 characters, 6 how many places; then of each place: requests a minute,
--       requests at once, characters a month; 0 where it has no such limit; then of what is given back.
-- Answers "stale", or "word place wait" and then of each place "remaining full in_flight used reserved":
--   ok | concurrency | rate | quota | rehydrate (the month's counter is not there), the place that says so
--   (1, 2), ms until it may be tried again; requests left, ms until all of them are, what runs, characters
--   used (-1 where not known) and reserved. A refusal takes nothing.
local count = tonumber(ARGV[6])
give_back(4 * count + 2, 3 * count + 7)

local version = tonumber(ARGV[1])
local known = tonumber(redis.call('GET', KEYS[1]) or '-1')
if known ~= version then
  if ARGV[2] == '0' or (version < known and ARGV[2] ~= '2') then return 'stale' end
  redis.call('SET', KEYS[1], ARGV[1])
end

local now, lease, lifetime, characters = now_ms(), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local places, word, refusing, wait = {}, 'ok', 0, 0

local function refuse(reason, place, milliseconds)
  if word == 'ok' then word, refusing, wait = reason, place, milliseconds end
end

local function look(index)
  local place = {
    rate = KEYS[4 * index - 2], leases = KEYS[4 * index - 1],
    quota = KEYS[4 * index], reservations = KEYS[4 * index + 1],
    per_minute = tonumber(ARGV[3 * index + 4]), at_once = tonumber(ARGV[3 * index + 5]),
    per_month = tonumber(ARGV[3 * index + 6]),
    tokens = 0, per_ms = 1, in_flight = 0, used = -1, reserved = 0,
  }
  if place.at_once > 0 then
    redis.call('ZREMRANGEBYSCORE', place.leases, '-inf', now)
    place.in_flight = redis.call('ZCARD', place.leases)
    if place.in_flight >= place.at_once then refuse('concurrency', index, 1000) end
  end
  if place.per_minute > 0 then
    place.per_ms = place.per_minute / 60000
    local bucket = redis.call('HMGET', place.rate, 'tokens', 'at')
    local since = math.max(0, now - (tonumber(bucket[2]) or now))
    local tokens = (tonumber(bucket[1]) or place.per_minute) + since * place.per_ms
    place.tokens = math.min(place.per_minute, tokens)
    if place.tokens < 1 then refuse('rate', index, math.ceil((1 - place.tokens) / place.per_ms)) end
  end
  if place.per_month > 0 then
    if redis.call('EXISTS', place.quota) == 0 then
      refuse('rehydrate', index, 0)
    else
      place.used, place.reserved = standing_of(place.quota, place.reservations, now)
      if place.used + place.reserved + characters > place.per_month then refuse('quota', index, 0) end
    end
  end
  return place
end

local function take(place)
  if place.per_minute > 0 then
    place.tokens = place.tokens - 1
    redis.call('HSET', place.rate, 'tokens', tostring(place.tokens), 'at', now)
    redis.call('PEXPIRE', place.rate, 120000)
  end
  redis.call('ZADD', place.leases, now + lifetime, lease)
  redis.call('PEXPIRE', place.leases, lifetime)
  place.in_flight = place.in_flight + 1
  if place.per_month > 0 then
    reserve(place.quota, place.reservations, lease .. ':' .. characters, now + lifetime, lifetime)
    place.reserved = place.reserved + characters
  end
end

for index = 1, count do places[index] = look(index) end
local answer = {word, refusing, wait}
for _, place in ipairs(places) do
  if word == 'ok' then take(place) end
  local missing = math.max(0, place.per_minute - place.tokens)
  for _, figure in ipairs({
    math.max(0, math.floor(place.tokens)), math.ceil(missing / place.per_ms),
    place.in_flight, place.used, place.reserved,
  }) do answer[#answer + 1] = figure end
end
return table.concat(answer, ' ')
