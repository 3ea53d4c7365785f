// node bench/stuffing.js      what the default limits let through of an attack with stolen passwords; some minutes
// ACCOUNTS, ADDRESSES, MINUTES: other numbers
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { createDatabases } from './harness/databases.js'
import { readConfig } from '../dist/config.js'
import { createServer } from '../dist/server.js'

const { ACCOUNTS = '10000', ADDRESSES = '50', MINUTES = '12' } = process.env
const accounts = Number(ACCOUNTS)
const addresses = Array.from({ length: Number(ADDRESSES) }, (_, i) => `198.51.${100 + Math.floor(i / 250)}.${i % 250}`)

const databases = createDatabases(process.env.BENCH_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres')
let app
let pool
try {
  const url = await databases.create('stuffing')
  const settings = { DATABASE_URL: url, COUNTERSIGN_SECRET: secret(), JWT_SECRET: secret(), TRUST_PROXY: '1', ARGON2_ITERATIONS: '1', HASH_QUEUE_LIMIT: '1000', LOG_LEVEL: 'error' }
  // The least that argon2 takes: what is admitted is counted here, and does not depend on what a hash costs.
  app = await createServer({ ...readConfig(settings), argon2MemoryKib: 8 })
  await app.ready()
  pool = new pg.Pool({ connectionString: url, max: 1 })
  await signUp()

  let next = 0
  let total = 0
  const tried = new Set()
  for (let minute = 1; minute <= Number(MINUTES); minute++) {
    const waiting = [...addresses]
    let verified = 0
    // As many at once as the queue of hashes never refuses.
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let address = waiting.pop(); address !== undefined; address = waiting.pop()) {
        const count = await attackFrom(address)
        verified += count
      }
    }))
    total += verified
    console.log(`minute ${minute}: ${verified} guesses verified, ${total} so far, at ${tried.size} of ${accounts} accounts`)
    await passMinute()
  }

  /** Guesses once an account, the next one each time, until the address is refused. */
  async function attackFrom (address) {
    for (let verified = 0; ; verified++) {
      const account = next++ % accounts
      const status = await guess(account, address)
      if (status === 429) return verified
      if (status !== 401) throw new Error(`a guess was answered ${status}`)
      tried.add(account)
    }
  }
} finally {
  await pool?.end()
  await app?.close()
  await databases.dropAll()
}

async function signUp () {
  const answer = await app.inject({ method: 'POST', url: '/auth/register', payload: { email: 'somebody@example.com', password: 'correct horse battery' } })
  if (answer.statusCode !== 201) throw new Error(`registering was answered ${answer.statusCode}`)
  // All have the same password: nobody here guesses it.
  await pool.query(`INSERT INTO users (id, email, password_hash, updated_at)
    SELECT gen_random_uuid(), 'somebody-' || n || '@example.com', password_hash, now() FROM users, generate_series(0, $1::int - 1) AS n`, [accounts])
}

async function guess (account, address) {
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/auth/login',
    headers: { 'x-forwarded-for': address },
    payload: { email: `somebody-${account}@example.com`, password: 'stolen elsewhere' }
  })
  return statusCode
}

/** Moves everything that was counted a minute into the past. */
async function passMinute () {
  await pool.query('UPDATE attempts SET stamps = ARRAY(SELECT stamp - 60 FROM unnest(stamps) AS stamp ORDER BY stamp)')
}

function secret () {
  return randomBytes(48).toString('base64url')
}
