-- Renews leases and reservations of one place, also those that Redis forgot.
-- KEYS: leases, quota, reservations. ARGV: 1 lifetime in ms; then of each lease: its name, and the characters
--       it reserved here (0: none).
local lifetime = tonumber(ARGV[1])
local lapses = now_ms() + lifetime
for index = 2, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], lapses, ARGV[index])
  if ARGV[index + 1] ~= '0' then
    reserve(KEYS[2], KEYS[3], ARGV[index] .. ':' .. ARGV[index + 1], lapses, lifetime)
  end
end
redis.call('PEXPIRE', KEYS[1], lifetime)
