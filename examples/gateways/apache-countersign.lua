-- Asks Countersign about a request, with LuaSocket.
local http, ltn12 = require("socket.http"), require("ltn12")
http.TIMEOUT = 2
local VERIFY = "http://127.0.0.1:3000/auth/verify"
local TELLS = { "X-Auth-User-Id", "X-Auth-Role", "X-Auth-Email" }
local ASKS = { "Authorization", "Origin", "Sec-Fetch-Site", "X-Countersign", "Upgrade" }
local HANDS_ON = { "WWW-Authenticate", "Retry-After" }
-- Over plain http the names are bare: access, refresh and so on.
local OURS = { ["__Secure-access"] = true, ["__Host-access"] = true, ["__Host-refresh"] = true, ["__Host-session"] = true,
  ["__Host-device"] = true, ["__Host-trusted"] = true, ["__Host-second-factor"] = true, ["__Host-notice"] = true }

-- Countersign's cookies, and the service's: every occurrence, in their order.
local function part(header)
  local ours, others = {}, {}
  -- Several headers of one name Apache has joined by commas.
  for pair in (header or ""):gsub(",%s*__", "; __"):gmatch("[^;]+") do
    pair = pair:match("^%s*(.-)%s*$")
    local name = pair:match("^(.-)%s*=") or ""
    local isOurs = OURS[name] or name:find("^__Host%-flow%-")
    table.insert(isOurs and ours or others, pair)
  end
  return ours[1] and table.concat(ours, "; "), others[1] and table.concat(others, "; ")
end

local function later(r)
  r.err_headers_out["Retry-After"] = "2"
  return 503
end

local function decide(r)
  -- However they are spelt: WSGI and CGI take X_Auth_Role for X-Auth-Role, and PHP any other character for the `-` too.
  for name in pairs(r:headers_in_table()) do
    if name:lower():gsub("%W", "-"):find("^x%-auth%-") then r.headers_in[name] = nil end
  end
  -- What `Connection` names mod_proxy takes out after everything else, so a client could have the three left out.
  if (r.headers_in["Connection"] or ""):lower():gsub("%W", "-"):find("x-auth-", 1, true) then return 400 end
  -- Apache hands on a list that begins with `websocket` as it stands.
  if (r.headers_in["Upgrade"] or ""):lower() ~= "websocket" then r.headers_in["Upgrade"] = nil end

  local ours, others = part(r.headers_in["Cookie"])
  local question = { ["X-Forwarded-Method"] = r.method, ["Cookie"] = ours, ["Connection"] = "close" }
  for _, name in ipairs(ASKS) do question[name] = r.headers_in[name] end
  r.headers_in["Cookie"] = others
  r.headers_in["Authorization"] = nil

  local body = {}
  local answered, status, headers = http.request({ url = VERIFY, headers = question, redirect = false, sink = ltn12.sink.table(body) })
  if not answered or status >= 500 then return later(r) end
  if status ~= 200 then
    r.err_headers_out["Cache-Control"] = "no-store"
    for _, name in ipairs(HANDS_ON) do r.err_headers_out[name] = headers[name:lower()] end
    r:custom_response(status, table.concat(body))
    return status
  end
  for _, name in ipairs(TELLS) do r.headers_in[name] = headers[name:lower()] end
  return apache2.OK
end

function ask(r)
  local ran, verdict = pcall(decide, r)
  return ran and verdict or later(r)
end
