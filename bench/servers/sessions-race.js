// What sessions cost without HTTP around them, in one process over one pool: asked by IPC, answers with rates.
import { randomBytes, randomUUID } from 'node:crypto'
import { createMemorySessionCache } from '../../dist/sessions/cache/memory-session-cache.js'
import { createAuthenticateSession } from '../../dist/sessions/authenticate-session.js'
import { createRefreshStore } from '../../dist/sessions/refresh-store.js'
import { createRefreshTokens } from '../../dist/sessions/refresh-token.js'
import { createRotateRefreshToken } from '../../dist/sessions/rotate-refresh-token.js'
import { createRedisSessionCache } from '../../dist/sessions/cache/redis-session-cache.js'
import { createSessionSecret } from '../../dist/sessions/session-secret.js'
import { createStatefulSessionStore } from '../../dist/sessions/stateful-session-store.js'
import { createAccessTokenMint } from '../../dist/tokens/mint-access-token.js'
import { deriveKeyRing } from '../../dist/tokens/derived-keys.js'
import { registerJwtSigner } from '../../dist/tokens/jwt-signer.js'
import { createSeal } from '../../dist/tokens/seal.js'
import { openDatabase } from '../../dist/database/open-database.js'
import { openRedis } from '../../dist/database/open-redis.js'
import { rateLimits } from '../../dist/config/rate-limits.js'
import { composeLimits } from '../../dist/limits/compose.js'
import { limitInRow } from '../../dist/limits/limit-in-row.js'
import { createRevocationSet, createHmacKey } from '../../verifier/dist/internal.js'
import Fastify from 'fastify'
import { interleave } from '../harness/statistics.js'

const { DATABASE_URL, REDIS_URL } = process.env
const AT_ONCE = 10
const SESSIONS = 200
const log = { info () {}, warn () {}, error () {} }
const secret = randomBytes(48).toString('base64url')
const client = { ip: '127.0.0.1', network: '127.0.0.1', userAgent: 'bench' }

const database = await openDatabase({ url: DATABASE_URL, dataDir: '', log })
const app = Fastify()
const ring = deriveKeyRing([secret], 'refresh')
const refreshTokens = createRefreshTokens(ring)
const key = createHmacKey(secret, 'bench', 'api')
const mint = createAccessTokenMint({
  sign: (await registerJwtSigner(app, { alg: 'HS256', secret, kid: key.kid })).sign,
  seal: createSeal([randomBytes(32)]),
  issuer: 'bench',
  audience: 'api',
  ttl: 600
})
const unused = { apply () {}, record () { throw new Error('a repeat in the benchmark') }, endReused () { throw new Error('a reuse in the benchmark') } }
// Each session refreshes far more often here than anybody's.
const limits = rateLimits('off')
const { networkTag } = composeLimits({ limits, database, redis: undefined, key: randomBytes(32), canReset: false, log })
const limit = limitInRow('refresh', limits.refresh)
const rotate = createRotateRefreshToken({
  limit,
  networkTag,
  sessions: createRefreshStore(database, limit),
  lastOutage: unused,
  revocations: { hasSession: () => false },
  endSessions: unused,
  ledgerSync: unused,
  audit: unused,
  notices: unused,
  refreshTokens,
  mintFor: async () => mint,
  ring,
  idleTtl: 86_400
})

const CONDITIONAL_UPDATE = {
  name: 'bench.update',
  text: 'UPDATE sessions SET generation = generation + 1, rotated_at = now() WHERE id = $1::uuid AND generation = $2::int RETURNING generation'
}

const userId = randomUUID()
const ids = Array.from({ length: SESSIONS }, () => randomUUID())
const nonce = randomBytes(16)
const secrets = ids.map(createSessionSecret)
await database.query({ name: 'bench.user', text: "INSERT INTO users (id, email, updated_at) VALUES ($1::uuid, $1::text || '@bench.example', now())" }, [userId])
await insert('body', ids, ids.map(() => null))
await insert('session', ids.map(() => randomUUID()), secrets.map(({ hash }) => hash))

const generations = new Map(ids.map(id => [id, 0]))

const redis = REDIS_URL ? [createRedisSessionCache({ redis: await openRedis(REDIS_URL, log), ring: deriveKeyRing([secret], 'session-copy') })] : []
const authenticators = {
  'in-process cache': authenticator([createMemorySessionCache(), ...redis]),
  ...redis.length > 0 && { redis: authenticator(redis) },
  Postgres: authenticator([])
}

process.on('message', async ({ warmUps, rounds, roundMs }) => {
  const contestants = {
    refresh: () => rate(roundMs, refresh),
    update: () => rate(roundMs, update),
    ...Object.fromEntries(Object.entries(authenticators).map(([name, authenticate]) => [name, () => rate(roundMs, slot => authenticate(secrets[slot].text))]))
  }
  // A refresh runs through ten times as much code as an update: all of it is to be compiled before anything counts.
  await interleave(warmUps, contestants)
  process.send(await interleave(rounds, contestants))
})

/** Calls a second of `work`, some at once, each keeping to sessions of its own. */
async function rate (ms, work) {
  const began = performance.now()
  let count = 0
  await Promise.all(Array.from({ length: AT_ONCE }, async (_, worker) => {
    for (let turn = 0; performance.now() - began < ms; turn++, count++) await work((worker + turn * AT_ONCE) % SESSIONS)
  }))
  return count / (performance.now() - began) * 1000
}

async function refresh (slot) {
  const sessionId = ids[slot]
  const generation = generations.get(sessionId)
  generations.set(sessionId, generation + 1)
  await rotate({ refreshToken: refreshTokens.write({ sessionId, generation, nonce }), channel: 'body', audience: undefined, idempotencyKey: undefined, client, report () {} })
}

async function update (slot) {
  const sessionId = ids[slot]
  const generation = generations.get(sessionId)
  generations.set(sessionId, generation + 1)
  const rows = await database.query(CONDITIONAL_UPDATE, [sessionId, generation])
  if (rows.length !== 1) throw new Error('an update found no row')
}

function authenticator (caches) {
  return createAuthenticateSession({
    sessions: createStatefulSessionStore(database),
    caches,
    forget () {},
    revocations: createRevocationSet(),
    isFresh: () => true,
    now: () => Date.now() / 1000,
    idleTtl: 604_800,
    onTouchFailed: error => { throw error }
  })
}

async function insert (channel, sessionIds, hashes) {
  await database.query({
    name: 'bench.sessions',
    text: `INSERT INTO sessions (id, user_id, channel, nonce, key_id, secret_hash, ip, user_agent, idle_ends_at, ends_at)
      SELECT id::uuid, $1::uuid, $2::channel, $3::bytea, 'key', hash, '127.0.0.1', 'bench', now() + interval '7 days', now() + interval '30 days'
      FROM unnest($4::text[], $5::bytea[]) AS new (id, hash)`
  }, [userId, channel, nonce, sessionIds, hashes])
}
