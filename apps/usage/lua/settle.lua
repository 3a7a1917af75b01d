-- Gives a lease and its reservation back and counts what was charged.
-- KEYS: of each place: leases, quota, reservations. ARGV: 1 lease, 2 characters reserved, 3 characters charged.
local reservation = ARGV[1] .. ':' .. ARGV[2]
for index = 0, #KEYS / 3 - 1 do
  local leases, quota, reservations = KEYS[3 * index + 1], KEYS[3 * index + 2], KEYS[3 * index + 3]
  redis.call('ZREM', leases, ARGV[1])
  local given_back = redis.call('ZREM', reservations, reservation)
  -- A counter that is not there is read from PostgreSQL when it is asked for.
  if redis.call('EXISTS', quota) == 1 then
    if given_back == 1 then redis.call('HINCRBY', quota, 'reserved', -tonumber(ARGV[2])) end
    redis.call('HINCRBY', quota, 'used', ARGV[3])
  end
end
