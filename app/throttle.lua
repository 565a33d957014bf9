-- GCRA (the generic cell rate algorithm): how many messages of a window may leave now, by every limit at once.
-- KEYS: 1 paused-until, 2 the sender's bucket; then bucket and turns of each limit shared with other senders; then, where
-- the provider limits messages to one person, a key for each message's person.
-- ARGV: 1 sender, 2 buckets, 3 units given back, 4 "1" when the messages leave in any case, 5 and 6 a person's interval
-- and what may be ahead of it, 7 the most that can be; then rate and burst of each bucket; then pairs: what a message
-- costs, and how many of that cost follow one another.
-- A bucket holds its theoretical arrival time. Times are whole microseconds: Lua writes larger numbers with 14 digits, so
-- they are formatted by hand, and reckoned from now on, so that fractions stay exact.
-- Returns {messages granted, microseconds to wait before a useful number of permits is there, then place and
-- microseconds of each granted message whose person has to rest}.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local who, count, back, must = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local pair, pair_room, pair_most = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local first_person = 2 * count

local function keep(key, ahead)
  redis.call('SET', key, string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000) + 1000)
end

-- Who waits at a shared limit, in their order: nobody takes what was promised to those before.
local function look_at_turns(bucket)
  local found = redis.call('HGETALL', bucket.turns)
  local others = {}
  for i = 1, #found, 2 do
    local since, till, units = string.match(found[i + 1], '(%d+):(%d+):(%d+)')
    if tonumber(till) < now then redis.call('HDEL', bucket.turns, found[i])
    elseif found[i] == who then bucket.since, bucket.promised = tonumber(since), tonumber(units)
    else others[#others + 1] = {found[i], tonumber(since), till, tonumber(units)} end
  end
  for _, other in ipairs(others) do
    if not bucket.since or other[2] < bucket.since then
      bucket.reserved = bucket.reserved + other[4] * bucket.interval
    end
  end
  bucket.others = others
end

-- What one sender takes while another waits is promised to the other, too: who wakes late loses nothing by it. Half of
-- the bucket at most, so that one who does not wake at all does no harm.
local function promise_as_much(bucket, units)
  local most = math.floor(bucket.room / bucket.interval / 2)
  for _, other in ipairs(bucket.others) do
    local more = math.min(other[4] + units, math.max(other[4], most))
    if more > other[4] then
      redis.call('HSET', bucket.turns, other[1], string.format('%.0f:%s:%d', other[2], other[3], more))
    end
  end
end

local buckets = {}
for b = 1, count do
  local key = b == 1 and KEYS[2] or KEYS[2 * b - 1]
  local interval = 1000000 / tonumber(ARGV[6 + 2 * b])
  local room = interval * tonumber(ARGV[7 + 2 * b])
  local ahead = math.max(0, tonumber(redis.call('GET', key) or 0) - now)
  -- When the server's clock is put back, what was granted lies hours ahead. Nobody owes more than the dearest message
  -- costs: no SMS of ours has more than 32 parts.
  local most = math.max(room, interval * 32)
  local bucket = {key = key, interval = interval, room = room, most = most, reserved = 0, used = 0, changed = ahead > most}
  bucket.ahead = math.min(ahead, most)
  if back > 0 and bucket.ahead > 0 then
    bucket.ahead, bucket.changed = math.max(0, bucket.ahead - back * interval), true
  end
  if b > 1 and not must then
    bucket.turns = KEYS[2 * b]
    look_at_turns(bucket)
  end
  buckets[b] = bucket
end

local granted, first, short = 0, tonumber(ARGV[8 + 2 * count] or 0), nil
local rests = {}

-- A message dearer than the whole burst may still go when the bucket is full, and is paid back afterwards.
local function fitting(cost, wanted)
  if must or cost == 0 then return wanted end
  local fits = wanted
  for _, bucket in ipairs(buckets) do
    local each = bucket.interval * cost
    local room = math.max(bucket.room, each) - bucket.reserved - bucket.ahead
    fits = math.min(fits, math.floor(room / each + 1e-6))
  end
  return math.max(0, fits)
end
local function charge(cost, messages)
  if cost == 0 or messages == 0 then return end
  for _, bucket in ipairs(buckets) do
    bucket.ahead = bucket.ahead + bucket.interval * cost * messages
    if must then bucket.ahead = math.min(bucket.ahead, bucket.most) end
    bucket.changed, bucket.used = true, bucket.used + cost * messages
  end
end

-- One person after another, where each has a limit of their own.
local function grant_each(cost, messages)
  local fits = fitting(cost, messages)
  local paid = 0
  for i = 1, messages do
    local key = KEYS[first_person + granted + 1]
    local ahead = math.min(pair_most, math.max(0, tonumber(redis.call('GET', key) or 0) - now))
    if ahead + pair > pair_room then
      rests[#rests + 1] = granted
      rests[#rests + 1] = math.ceil(ahead + pair - pair_room)
    elseif paid == fits then
      break
    else
      paid = paid + 1
      keep(key, ahead + pair)
    end
    granted = granted + 1
  end
  charge(cost, paid)
  return paid == fits and fits < messages
end

local full = false
local paused = must and 0 or tonumber(redis.call('GET', KEYS[1]) or 0)
if paused <= now then
  for i = 8 + 2 * count, #ARGV, 2 do
    local cost, messages = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
    if pair > 0 then
      full = grant_each(cost, messages)
    else
      local fits = fitting(cost, messages)
      charge(cost, fits)
      granted = granted + fits
      full = fits < messages
    end
    if full then break end
  end
end

local asked = #ARGV > 7 + 2 * count
local wait = 0
if paused > now then
  wait = paused - now
elseif asked and granted == 0 then
  -- Telling a caller to come back for one permit would make it poll; wait for 20 ms worth of them instead.
  for _, bucket in ipairs(buckets) do
    local useful = math.min(20000, bucket.room / 2)
    local units = math.max(first, math.floor(useful / bucket.interval))
    local brim = math.max(bucket.room, bucket.interval * first)
    if bucket.ahead + bucket.reserved + bucket.interval * first > brim + 1e-6 then
      local until_useful = bucket.ahead + bucket.reserved + bucket.interval * units - brim
      wait = math.max(wait, useful, until_useful)
      bucket.units = math.max(units, bucket.promised or 0)
    end
  end
  wait = math.max(1, math.ceil(wait))
end

for _, bucket in ipairs(buckets) do
  if bucket.changed then keep(bucket.key, bucket.ahead) end
  if bucket.others and bucket.used > 0 then promise_as_much(bucket, bucket.used) end
  -- Who got less than was promised stays in line for the rest.
  if full and granted > 0 and bucket.since and bucket.promised > bucket.used then
    bucket.units = bucket.promised - bucket.used
  end
  if bucket.units and bucket.turns then
    -- Who does not come back gives up the turn a moment later.
    local turn = string.format('%.0f:%.0f:%d', bucket.since or now, now + wait + 250000, bucket.units)
    redis.call('HSET', bucket.turns, who, turn)
    redis.call('PEXPIRE', bucket.turns, math.ceil(wait / 1000) + 2000)
  elseif bucket.since and granted > 0 then
    redis.call('HDEL', bucket.turns, who)
  end
end
return {granted, wait, unpack(rests)}
