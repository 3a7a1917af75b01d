-- Sets a month's counter to what PostgreSQL says, unless somebody else has done so meanwhile.
-- KEYS: quota, reservations. ARGV: 1 characters used, 2 lifetime of the counter in ms.
if redis.call('EXISTS', KEYS[1]) == 1 then return end
local now, reserved = now_ms(), 0
for _, reservation in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf')) do
  reserved = reserved + characters_of(reservation)
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('HSET', KEYS[1], 'used', ARGV[1], 'reserved', reserved)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
