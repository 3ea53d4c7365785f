// node vectors/run.js [-k PATTERN] [--slow | --fast] [-- COMMAND…]
// Holds a verifier to the vectors. COMMAND is its adapter, by default that of countersign-verifier; README.md says what it is asked.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { runScript } from './scripted-feed.js'

const ADAPTER = [process.execPath, fileURLToPath(new URL('adapter.js', import.meta.url))]
const JOBS = Number(process.env.JOBS ?? 5)

export const vectors = JSON.parse(readFileSync(new URL('countersign-vectors.json', import.meta.url), 'utf8'))

/** Holds a verifier to the tokens. @returns what was wrong, by case */
export async function runTokens (command = ADAPTER) {
  const faults = {}
  const server = createServer((request, response) => {
    if (request.url === '/jwks') return response.setHeader('content-type', 'application/json').end(JSON.stringify(vectors.jwks))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const sync = () => response.write('event: sync\nid: c1\ndata: {"ageMs":0}\n\n')
    sync()
    const syncing = setInterval(sync, 500)
    response.once('close', () => clearInterval(syncing))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${server.address().port}`
  for (const keys of ['hs256', 'jwks']) {
    const adapter = startAdapter(command)
    await adapter.ask({
      op: 'new',
      issuer: vectors.issuer,
      audience: vectors.audience,
      secrets: keys === 'hs256' ? vectors.secrets : null,
      jwks_uri: keys === 'hs256' ? null : `${origin}/jwks`,
      feed: `${origin}/revocations`,
      client_id: vectors.client_id,
      client_secret: vectors.client_secret,
      max_staleness: 20,
      now: vectors.now
    })
    const { ready } = await adapter.ask({ op: 'ready', timeout: 10 })
    for (const one of vectors.cases.filter(one => one.keys === keys)) faults[one.name] = ready ? await judge(adapter, one) : ['not ready']
    await adapter.end()
  }
  server.closeAllConnections()
  server.close()
  return faults
}

// Three times: what is remembered is held to the same.
async function judge (adapter, { kind, token, expect, principal: wanted = {}, principal_never: unwanted = {} }) {
  const faults = []
  for (const turn of ['first', 'second', 'third']) {
    // Some tokens are within a second of their end.
    await adapter.ask({ op: 'clock', now: vectors.now })
    const { results: [{ verdict, detail, principal = {} }] } = await adapter.ask({ op: 'verify', tokens: [[kind, token]] })
    if (verdict !== expect && expect !== 'any') faults.push(`${turn}: ${expect} expected, was ${verdict} (${detail})`)
    if (verdict !== 'ok') continue
    for (const [name, value] of Object.entries(wanted)) if (principal[name] !== value) faults.push(`principal.${name}: ${value} expected, was ${principal[name]}`)
    for (const [name, value] of Object.entries(unwanted)) if (principal[name] === value) faults.push(`principal.${name} must not be ${value}`)
  }
  return faults
}

/**
 * Holds a verifier to scripted feeds, several at a time.
 * @param start gives the adapter of a script
 * @returns what was wrong, by script
 */
export async function runFeeds (scripts, start = () => startAdapter()) {
  const faults = {}
  const left = [...scripts].sort((a, b) => Number(b.slow ?? false) - Number(a.slow ?? false))
  const again = []
  await Promise.all(Array.from({ length: JOBS }, async () => {
    for (let script = left.shift(); script !== undefined; script = left.shift()) {
      faults[script.name] = await runScript(vectors, script, start(script))
      if (faults[script.name].length > 0) again.push(script)
    }
  }))
  // They measure time, and a machine that does several of them may have had too little: once more, by themselves.
  for (const script of again) faults[script.name] = await runScript(vectors, script, start(script))
  return faults
}

export function startAdapter ([file, ...args] = ADAPTER) {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', process.env.SHOW === undefined ? 'ignore' : 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const waiting = []
  lines.on('line', line => waiting.shift()?.resolve(JSON.parse(line)))
  child.once('exit', () => { for (const { reject } of waiting) reject(new Error('the adapter ended')) })
  child.stdin.on('error', () => {})
  return {
    ask: message => new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      child.stdin.write(`${JSON.stringify(message)}\n`)
    }),
    signal: name => { child.kill(name) },
    async end () {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGCONT')
      child.stdin.end()
      const killing = setTimeout(() => child.kill('SIGKILL'), 3_000)
      await gone
      clearTimeout(killing)
    }
  }
}

async function main (args) {
  const at = args.indexOf('--')
  const [options, command] = at === -1 ? [args, ADAPTER] : [args.slice(0, at), args.slice(at + 1)]
  const pattern = new RegExp(options.includes('-k') ? options[options.indexOf('-k') + 1] : '')
  const isWanted = ({ name, slow = false }) => pattern.test(name) && !(slow ? options.includes('--fast') : options.includes('--slow'))
  const tokens = options.includes('-k') || options.includes('--slow') ? {} : await runTokens(command)
  const feeds = await runFeeds(vectors.feeds.filter(isWanted), () => startAdapter(command))
  const wrong = Object.entries({ ...tokens, ...feeds }).filter(([, faults]) => faults.length > 0)
  for (const [name, faults] of wrong) console.log([name, ...faults].join('\n   '))
  console.log(`${Object.keys(tokens).length} tokens, ${Object.keys(feeds).length} feeds, ${wrong.length} with faults`)
  process.exitCode = wrong.length === 0 ? 0 : 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
