// One script of a feed: a server that says what the script says, and asks the verifier what it makes of it.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const SYNC = 'event: sync\nid: c1\ndata: {"ageMs":0}\n\n'
const WITHIN = 8_000

/** Runs a script. @returns what was wrong */
export async function runScript (vectors, script, adapter) {
  const faults = []
  const feed = await createFeed(vectors, adapter, faults)
  try {
    await adapter.ask({
      op: 'new',
      issuer: vectors.issuer,
      audience: vectors.audience,
      secrets: vectors.secrets,
      jwks_uri: null,
      feed: `http://127.0.0.1:${feed.port}/revocations`,
      client_id: vectors.client_id,
      client_secret: vectors.client_secret,
      max_staleness: script.max_staleness_ms / 1000,
      now: vectors.now
    })
    for (const [index, step] of script.steps.entries()) {
      feed.at = `step ${index}`
      const name = Object.keys(step).find(name => name in feed.steps)
      if (name === undefined) throw new Error(`unknown: ${JSON.stringify(step)}`)
      await feed.steps[name](step[name], step, script.steps[index + 1] ?? {})
    }
  } catch (error) {
    faults.push(`${feed.at}: ${error.message}`)
  } finally {
    await adapter.end()
    feed.close()
  }
  return faults
}

async function createFeed (vectors, adapter, faults) {
  const tokens = { ...mapValues(vectors.tokens, token => ['user', token]), ...mapValues(vectors.client_tokens, token => ['client', token]) }
  const authorization = `Basic ${Buffer.from(`${vectors.client_id}:${vectors.client_secret}`).toString('base64')}`
  const began = performance.now()
  const queue = []
  const sockets = new Set()
  let [wake, mode, count, others, isChunked] = [() => {}, 'serve', 0, 0, false]
  let socket

  const server = await listen(accepted => {
    sockets.add(accepted)
    accepted.on('error', () => {})
    let head = ''
    accepted.on('data', function read (part) {
      head += part.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      accepted.off('data', read)
      accepted.on('data', () => {})
      count++
      if (mode === 'refuse') return accepted.resetAndDestroy()
      if (mode === 'unauthorized') return accepted.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      queue.push({ head, socket: accepted })
      wake()
    })
  })
  const other = await listen(accepted => {
    others++
    accepted.on('error', () => {}).destroy()
  })

  const fault = text => faults.push(`${feed.at}: ${text}`)
  // The clock of the ledger: it began when the script did.
  const fill = text => text.replaceAll('{now_ms}', () => String(Math.floor(vectors.now * 1000 + performance.now() - began)))

  async function write (data) {
    if (socket.destroyed || data.length === 0) return
    const bytes = Buffer.from(data)
    const isTaken = isChunked ? socket.write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])) : socket.write(bytes)
    // A verifier may end the connection meanwhile, as it has to.
    if (!isTaken) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {})
  }

  function respond ({ status = 200, headers = { 'Content-Type': 'text/event-stream' }, chunked = false } = {}) {
    isChunked = chunked
    const all = { ...headers, Date: new Date(vectors.now * 1000 + performance.now() - began).toUTCString(), Connection: 'close', ...chunked && { 'Transfer-Encoding': 'chunked' } }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value.replace('{other}', `http://127.0.0.1:${other.address().port}`)}\r\n`)
    socket.write(`HTTP/1.1 ${status} X\r\n${lines.join('')}\r\n`)
  }

  async function isGone (ms) {
    const until = performance.now() + ms
    while (performance.now() < until && !socket.readableEnded && !socket.destroyed) await sleep(10)
    return socket.readableEnded || socket.destroyed
  }

  async function check (wanted, within) {
    const names = Object.keys(wanted)
    const until = performance.now() + within
    for (;;) {
      const { results } = await adapter.ask({ op: 'verify', tokens: names.map(name => tokens[name]) })
      const wrong = names.filter((name, index) => wanted[name] !== 'any' && results[index].verdict !== wanted[name])
      if (wrong.length === 0) return
      if (performance.now() > until) {
        for (const name of wrong) fault(`${name}: ${wanted[name]} expected, was ${results[names.indexOf(name)].verdict} (${results[names.indexOf(name)].detail})`)
        return
      }
      await sleep(10)
    }
  }

  async function assertGone (ms, notBefore = 0) {
    const asked = performance.now()
    if (!await isGone(ms)) fault(`the connection was not ended within ${ms} ms`)
    if (performance.now() - asked < notBefore) fault(`ended after ${Math.round(performance.now() - asked)} ms already`)
    socket.destroy()
  }

  const steps = {
    async connect ({ last_event_id: expected, within_ms: within = WITHIN }, _step, following) {
      const until = performance.now() + within
      while (queue.length === 0) {
        if (performance.now() > until) throw new Error('no connection')
        await Promise.race([new Promise(resolve => { wake = resolve }), sleep(100)])
      }
      const next = queue.shift()
      socket = next.socket
      const headers = Object.fromEntries([...next.head.matchAll(/^([\w-]+): ?(.*?)\r$/gm)].map(([, name, value]) => [name.toLowerCase(), value]))
      if (!next.head.startsWith('GET /revocations HTTP/1.1')) fault(`asked ${next.head.split('\r\n')[0]}`)
      if (headers.authorization !== authorization) fault('wrong authorization')
      if (expected !== 'any' && (headers['last-event-id'] ?? null) !== expected) fault(`Last-Event-ID ${expected} expected, was ${headers['last-event-id']}`)
      if (!('respond' in following)) respond()
    },
    respond,
    send: text => write(fill(text)),
    send_base64: text => write(Buffer.from(text, 'base64')),
    async send_bytes (text, { each_ms: each }) {
      for (const byte of Buffer.from(text)) {
        await write(Buffer.from([byte]))
        await sleep(each)
      }
    },
    async send_repeat ({ text, then, times }) {
      await write(text)
      const block = then.repeat(Math.floor(20_000 / then.length) || 1)
      for (let left = Math.floor(times * then.length / block.length); left > 0 && !socket.destroyed; left--) await write(block)
    },
    send_revocations: many => write(Array.from({ length: many }, (_, index) => {
      const id = vectors.sid_format.replace('%04x', (0x1000 + index).toString(16).padStart(4, '0'))
      return `event: revocation\ndata: ${JSON.stringify({ kind: 'session', id, expiresAt: vectors.now + 3660 })}\n\n`
    }).join('')),
    drop: how => how === 'rst' ? socket.resetAndDestroy() : socket.end(),
    wait: ms => sleep(ms),
    clock: now => adapter.ask({ op: 'clock', now }),
    close: () => adapter.ask({ op: 'close' }),
    async check (wanted, { after_ms: after, within_ms: within = 0 }) {
      if (after !== undefined) await sleep(after)
      // Nothing is wrong with what comes late on a machine that has other things to do.
      await check(wanted, after === undefined ? within * 10 : 0)
    },
    check_sids: many => check(Object.fromEntries(Array.from({ length: many }, (_, index) => [`sid${index}`, 'revoked'])), 0),
    gone_within: (ms, { but_not_before: notBefore }) => assertGone(ms, notBefore),
    async stays (ms) {
      if (await isGone(ms)) fault('the connection was ended')
    },
    async comments_until_gone (ms) {
      const commenting = setInterval(() => write(': ping\n\n'), 1_000)
      await assertGone(ms)
      clearInterval(commenting)
    },
    async no_connect_for (ms) {
      await sleep(ms)
      if (queue.length > 0) fault(`came back within ${ms} ms`)
    },
    async at_most_connects ({ count: most, ms }) {
      const before = count
      mode = 'unauthorized'
      await sleep(ms)
      mode = 'serve'
      if (count - before > most) fault(`${count - before} connections in ${ms} ms`)
    },
    async refuse_for (ms, { at_most: most }) {
      const before = count
      mode = 'refuse'
      socket.resetAndDestroy()
      await sleep(ms)
      mode = 'serve'
      if (count - before > most) fault(`${count - before} attempts`)
    },
    async other_untouched (ms) {
      await sleep(ms)
      if (others > 0) fault('the redirect was followed')
    },
    async suspend (ms, { then_send: sends }) {
      adapter.signal('SIGSTOP')
      const stopped = performance.now()
      for (const [at, text] of sends) {
        await sleep(Math.max(0, stopped + at - performance.now()))
        await write(fill(text))
      }
      await sleep(Math.max(0, stopped + ms - performance.now()))
      adapter.signal('SIGCONT')
    },
    async syncs (ms, { every, more = '' }) {
      for (const until = performance.now() + ms; performance.now() < until; await sleep(every)) await write(fill(SYNC.replace('}', `${more}}`)))
    }
  }

  const feed = {
    at: 'start',
    port: server.address().port,
    steps,
    close () {
      for (const one of sockets) one.destroy()
      server.close()
      other.close()
    }
  }
  return feed
}

async function listen (onConnection) {
  const server = createServer({ allowHalfOpen: false }, onConnection)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

function mapValues (object, change) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]))
}
