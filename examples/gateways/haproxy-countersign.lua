-- Asks Countersign about a request, with HAProxy's own HTTP client, by way of `listen questions`.
local VERIFY = "http://countersign/auth/verify"
local TELLS = { "x-auth-user-id", "x-auth-role", "x-auth-email" }
local ASKS = { "authorization", "origin", "sec-fetch-site", "x-countersign", "upgrade" }
local HANDS_ON = { "content-type", "www-authenticate", "retry-after" }
-- Over plain http the names are bare: access, refresh and so on.
local OURS = { ["__Secure-access"] = true, ["__Host-access"] = true, ["__Host-refresh"] = true, ["__Host-session"] = true,
  ["__Host-device"] = true, ["__Host-trusted"] = true, ["__Host-second-factor"] = true, ["__Host-notice"] = true }

-- The values of a header, which HAProxy counts from 0.
local function all(values)
  local list = {}
  for index = 0, values and #values or -1 do table.insert(list, values[index]) end
  return list
end

-- Countersign's cookies, and the service's: every occurrence, in their order.
local function part(headers)
  local ours, others = {}, {}
  for pair in table.concat(all(headers), ";"):gmatch("[^;]+") do
    pair = pair:match("^%s*(.-)%s*$")
    local name = pair:match("^(.-)%s*=") or ""
    local isOurs = OURS[name] or name:find("^__Host%-flow%-")
    table.insert(isOurs and ours or others, pair)
  end
  return table.concat(ours, "; "), table.concat(others, "; ")
end

local function ask(txn)
  local request = txn.http:req_get_headers()
  local ours, others = part(request["cookie"])
  local question = { ["host"] = { "countersign" }, ["x-forwarded-method"] = { txn.sf:method() }, ["cookie"] = { ours } }
  for _, name in ipairs(ASKS) do question[name] = request[name] and all(request[name]) end
  txn.http:req_del_header("cookie")
  if others ~= "" then txn.http:req_add_header("cookie", others) end
  txn.http:req_del_header("authorization")
  return core.httpclient():get({ url = VERIFY, dst = "abns@questions", headers = question })
end

core.register_action("countersign", { "http-req" }, function (txn)
  local ran, answer = pcall(ask, txn)
  if ran and answer.status == 200 then
    for _, name in ipairs(TELLS) do
      local values = answer.headers[name]
      if values then txn.http:req_add_header(name, values[0]) end
    end
    return
  end

  local refused = ran and answer.status >= 400 and answer.status < 500
  local reply = txn:reply({ status = refused and answer.status or 503, headers = { ["cache-control"] = { "no-store" } } })
  if refused then
    for _, name in ipairs(HANDS_ON) do
      for _, value in ipairs(all(answer.headers[name])) do reply:add_header(name, value) end
    end
    reply:set_body(answer.body or "")
  else
    reply:add_header("retry-after", "2")
  end
  txn:done(reply)
end, 0)
