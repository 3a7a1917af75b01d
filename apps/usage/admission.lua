-- Admission in one call: policy version, rate bucket, concurrency lease.
-- KEYS: policy, rate, lease (one hash slot: all under {organization}).
-- ARGV: 1 policy version of the caller's identity, 2 "1" where that identity was just read from PostgreSQL, "2"
--       where it was read again and again and PostgreSQL insists (it may have been restored from a backup),
--       3 requests a minute, 4 requests at once, 5 lease id, 6 lease lifetime in ms.
-- Answers {word, a, b}: ok, remaining, in flight | stale | rate, retry in ms | concurrency, in flight.
local version = tonumber(ARGV[1])
local known = tonumber(redis.call('GET', KEYS[1]) or '-1')
if known ~= version then
  if ARGV[2] == '0' then return {'stale', known, 0} end
  if version < known and ARGV[2] ~= '2' then return {'stale', known, 0} end
  redis.call('SET', KEYS[1], ARGV[1])
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
local in_flight = redis.call('ZCARD', KEYS[3])
if in_flight >= tonumber(ARGV[4]) then return {'concurrency', in_flight, 0} end

local capacity = tonumber(ARGV[3])
local per_ms = capacity / 60000
local bucket = redis.call('HMGET', KEYS[2], 'tokens', 'at')
local tokens = math.min(capacity, (tonumber(bucket[1]) or capacity) + math.max(0, now - (tonumber(bucket[2]) or now)) * per_ms)
if tokens < 1 then return {'rate', math.ceil((1 - tokens) / per_ms), 0} end

redis.call('HSET', KEYS[2], 'tokens', tostring(tokens - 1), 'at', now)
redis.call('PEXPIRE', KEYS[2], 120000)
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[6]), ARGV[5])
redis.call('PEXPIRE', KEYS[3], tonumber(ARGV[6]))
return {'ok', math.floor(tokens - 1), in_flight + 1}
