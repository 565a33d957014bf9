-- GCRA (the generic cell rate algorithm) for one sender: how many messages of a window may leave now.
-- KEYS: 1 theoretical arrival time, 2 paused-until.   ARGV: 1 rate per second, 2 burst, 3.. pairs: what a
-- message costs, and how many of that cost follow one another.
-- Times are whole microseconds: Lua writes larger numbers with 14 digits, so they are formatted by hand.
-- Returns {messages granted, microseconds to wait before a useful number of permits is there}.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local paused = tonumber(redis.call('GET', KEYS[2]) or 0)
if paused > now then return {0, paused - now} end

local interval = 1000000 / tonumber(ARGV[1])
local tolerance = interval * tonumber(ARGV[2])
local tat = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
-- When the server's clock is put back, what was granted lies hours ahead. Nobody owes more than the dearest message
-- costs: no SMS of ours has more than 32 parts.
local most = now + math.max(tolerance, interval * 32)
local put_back = tat > most
if put_back then tat = most end
local granted = 0
local function grant(cost, count)
  -- A message dearer than the whole burst may still go when the bucket is full, and is paid back afterwards.
  local room = math.max(tolerance, interval * cost)
  for _ = 1, count do
    if tat + interval * cost - now > room then return false end
    tat = tat + interval * cost
    granted = granted + 1
  end
  return true
end
for i = 3, #ARGV, 2 do
  if not grant(tonumber(ARGV[i]), tonumber(ARGV[i + 1])) then break end
end
if granted > 0 or put_back then
  local ahead = math.ceil((tat - now) / 1000) + 1000
  redis.call('SET', KEYS[1], string.format('%.0f', tat), 'PX', ahead)
end
if granted > 0 then return {granted, 0} end
-- Telling a caller to come back for one permit would make it poll; wait for 20 ms worth of them instead.
local first = tonumber(ARGV[3])
local short = tat + interval * first - now - math.max(tolerance, interval * first)
return {0, math.max(1, math.ceil(math.max(short, math.min(20000, tolerance / 2))))}
