-- Requests for wrk: wrk -s load.lua URL -- <kind> <users> <tag> <etag>, with the kinds of generators/http.ts.
local kind, users, tag, etag, count = "", 0, "", "", 0
local requests = {}
local json = { ["Content-Type"] = "application/json" }

local function address(i)
  return string.format('{"protocol":"UDP","host":"10.0.0.5","port":%d}', 1024 + i % 60000)
end

function init(args)
  kind, users, tag, etag = args[1], tonumber(args[2]), args[3], args[4]
  if kind == "put" then
    for i = 0, users - 1 do
      requests[i] = wrk.format("PUT", "/v1/users/user-" .. i, json, address(i))
    end
  elseif kind == "message" then
    requests[0] = wrk.format("POST", "/v1/message", json, '{"user":"alice","text":"hello bob, lunch at one?"}')
  elseif kind == "list" then
    requests[0] = wrk.format("GET", "/v1/users/")
  elseif kind == "unchanged" then
    requests[0] = wrk.format("GET", "/v1/users/", { ["If-None-Match"] = etag })
  end
end

function request()
  count = count + 1
  if kind == "post" then
    local body = string.format('{"user":"%s-%d","address":%s}', tag, count, address(count))
    return wrk.format("POST", "/v1/users", json, body)
  end
  return requests[kind == "put" and count % users or 0]
end

function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("answers=%d seconds=%f failed=%d\n", summary.requests, summary.duration / 1e6, failed))
end
