// The adapter of countersign-verifier: what `run.js` talks to. Takes JSON by the line, and answers each with one line.
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createVerifier, InvalidToken } from '../verifier/dist/index.js'

/** The adapter of countersign-verifier in this process: for many scripts, most of which would take less than a process of their own does. */
export function adapterInProcess () {
  const operations = createOperations()
  let asking = Promise.resolve()
  return {
    // One after the other, as a process reads its lines.
    ask ({ op, ...message }) {
      asking = asking.then(async () => await operations[op](message) ?? {})
      return asking
    },
    end: async () => operations.close()
  }
}

// One verifier, and what it can be asked, by the names of the messages.
function createOperations () {
  let verifier
  let [set, since] = [0, 0]

  function setClock (now) {
    set = now * 1000
    since = performance.now()
  }

  function judge ([kind, token]) {
    try {
      const { id, role, sessionId, emailVerified } = kind === 'user' ? verifier.verify(token) : verifier.verifyClient(token)
      return { verdict: 'ok', principal: { id, role, session_id: sessionId, email_verified: emailVerified } }
    } catch (error) {
      if (!(error instanceof InvalidToken)) return { verdict: 'error', detail: String(error?.stack) }
      return { verdict: error.reason === 'revoked' ? 'revoked' : error.code === 'unavailable' ? 'stale' : 'invalid', detail: error.reason }
    }
  }

  return {
    new ({ issuer, audience, secrets, jwks_uri: jwksUri, feed, client_id: clientId, client_secret: clientSecret, max_staleness: maxStaleness, now }) {
      setClock(now)
      const keys = secrets === null ? { jwksUri } : { secret: secrets }
      const clock = () => set + performance.now() - since
      verifier = createVerifier({ issuer, audience, ...keys, clock, maxStaleness, onStale: 'reject', revocations: { url: feed, clientId, clientSecret } })
      verifier.events.on('warning', () => {})
    },
    ready: async ({ timeout }) => ({ ready: await verifier.ready({ signal: AbortSignal.timeout(timeout * 1000) }).then(() => true, () => false) }),
    clock: ({ now }) => setClock(now),
    close: () => verifier?.close(),
    verify: ({ tokens }) => ({ results: tokens.map(judge) })
  }
}

async function main () {
  const operations = createOperations()
  for await (const line of createInterface({ input: process.stdin })) {
    const { op, ...message } = JSON.parse(line)
    console.log(JSON.stringify(await operations[op](message) ?? {}))
  }
  process.exit()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
