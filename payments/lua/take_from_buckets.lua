-- Takes one request from every bucket, or from none if one of them is empty (GCRA: a bucket is the
-- moment at which it would be full again, in microseconds).
-- KEYS: the buckets. ARGV: for each of them the microseconds a request takes to come back, and the
-- microseconds a whole quota takes.
-- Returns 0 or the number of the bucket that is empty, and when each is full again, from now on.
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local empty, full_in = 0, {}
for i, key in ipairs(KEYS) do
    local each, quota = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local full_at = math.max(tonumber(redis.call('GET', key) or 0), now)
    full_in[i] = full_at + each - now
    if full_in[i] > quota then
        full_in[i] = full_at - now
        empty = i
    end
end
if empty == 0 then
    for i, key in ipairs(KEYS) do
        local full_at = string.format('%.0f', now + full_in[i])
        redis.call('SET', key, full_at, 'PX', math.ceil(full_in[i] / 1000) + 1)
    end
end
return {empty, unpack(full_in)}
