import argon2 from 'argon2'
import fc from 'fast-check'
import t from 'tap'
import { createHashQueue, HashQueueFull } from '../../src/passwords/hash-queue.ts'
import { restOfCost, type Argon2idCost } from '../../src/passwords/argon2id-hash.ts'
import { createPasswordHasher } from '../../src/passwords/hasher.ts'

const PLACE = { address: '192.0.2.1' }
const CHEAP = { memoryKiB: 64, iterations: 2, parallelism: 1 }
const OWASP = { memoryKiB: 19456, iterations: 2, parallelism: 1 }

const newQueue = () => createHashQueue({ concurrency: 1, limit: 8 })
const newHasher = (cost = CHEAP) => createPasswordHasher({ ...cost, queue: newQueue() })
const withCost = (stored: string, cost: string) => stored.replace(/m=\d+,t=\d+,p=\d+/, cost)

t.test('a hash is argon2id, as a PHC string with a fresh 16-byte salt and a 32-byte tag', async t => {
  const hasher = newHasher()
  const hash = await hasher.hash('correct horse', PLACE)
  t.match(hash, /^\$argon2id\$v=19\$m=64,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  t.not(await hasher.hash('correct horse', PLACE), hash)
})

t.test('a password verifies exactly as it was set', async t => {
  const hasher = newHasher()
  const hash = await hasher.hash(' Pässwörd\u0000 ', PLACE)
  t.equal(await hasher.verify(hash, ' Pässwörd\u0000 ', PLACE), true)
  for (const other of ['Pässwörd\u0000', ' pässwörd\u0000 ', ' Pässwörd', ' Pässwörd\u0000 '.normalize('NFD'), '']) {
    t.equal(await hasher.verify(hash, other, PLACE), false, JSON.stringify(other))
  }
})

t.test('a hash made at another cost, or elsewhere, still verifies', async t => {
  const hash = await argon2.hash('correct horse', { memoryCost: 65536, timeCost: 3, parallelism: 4 })
  t.equal(await newHasher().verify(hash, 'correct horse', PLACE), true)
  const short = await argon2.hash('correct horse', { memoryCost: 64, hashLength: 16, salt: Buffer.alloc(8, 7) })
  t.equal(await newHasher().verify(short, 'correct horse', PLACE), true)
})

t.test('without a readable hash nothing matches, and it costs one hash in the queue', async t => {
  let jobs = 0
  const queue = newQueue()
  const counted = { ...queue, run: <T>(job: () => Promise<T>) => { jobs++; return queue.run(job, PLACE) } }
  const hasher = createPasswordHasher({ ...OWASP, queue: counted })
  const real = await hasher.hash('correct horse', PLACE)
  const unreadable = [
    null, undefined, '', 'x', '$', '$argon2id$', real.slice(0, -30), `${real}=`, `${real}\n`, ` ${real}`,
    real.replace('argon2id', 'argon2i'), real.replace('argon2id', '__proto__'), real.replace('v=19', 'v=18'), real.replace('v=19$', ''),
    '$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy', `${real}$extra`, withCost(real, 'm=-1,t=2,p=1'), withCost(real, 'm=64,t=2'),
    withCost(real, 'm=1e3,t=2,p=1'), withCost(real, 'm=7,t=2,p=1'), withCost(real, 'm=64,t=0,p=1'), withCost(real, 'm=64,t=2,p=0')
  ]
  for (const stored of unreadable) {
    const before = process.cpuUsage()
    jobs = 0
    t.equal(await hasher.verify(stored, 'correct horse', PLACE), false, String(stored))
    t.equal(jobs, 1)
    const { user, system } = process.cpuUsage(before)
    t.ok(user + system > 5000, 'argon2 takes its milliseconds of processor time')
  }
})

t.test('an unknown account costs as much as a wrong password', { timeout: 60_000 }, async t => {
  const hasher = newHasher(OWASP)
  const stored = await hasher.hash('correct horse', PLACE)
  const took: { known: number[], unknown: number[] } = { known: [], unknown: [] }
  for (let pair = 0; pair < 40; pair++) {
    took.known.push(await processorTimeOf(() => hasher.verify(stored, 'wrong horse', PLACE)))
    took.unknown.push(await processorTimeOf(() => hasher.verify(null, 'wrong horse', PLACE)))
  }
  t.ok(Math.abs(median(took.known) - median(took.unknown)) < 5, `${median(took.known)} and ${median(took.unknown)} ms`)
})

t.test('a hash from before the cost was raised is no shorter work than one of now, whether the password is right or wrong', async t => {
  const cost = { ...OWASP, memoryKiB: 65536 }
  const hasher = newHasher(cost)
  const old = await argon2.hash('correct horse', { memoryCost: 64, timeCost: 1, parallelism: 1 })
  const unknown = await processorTimeOf(() => hasher.verify(null, 'wrong horse', PLACE))
  for (const password of ['wrong horse', 'correct horse']) {
    // The old hash alone would be a thousandth of it.
    const took = await processorTimeOf(() => hasher.verify(old, password, PLACE))
    t.ok(took > unknown / 4, `${password}: ${took} and ${unknown} ms`)
  }
  t.equal(await hasher.verify(old, 'correct horse', PLACE), true)
  t.equal(await hasher.verify(old, 'wrong horse', PLACE), false)
})

t.test('what a cheaper hash leaves of the current cost is the rest of its work, as argon2 takes it', t => {
  fc.assert(fc.property(costs(), costs(), (current, stored) => {
    const rest = restOfCost(current, stored)
    const work = current.memoryKiB * current.iterations - stored.memoryKiB * stored.iterations
    if (rest === undefined) return t.ok(work < 8 * current.parallelism)
    t.ok(rest.memoryKiB >= 8 * rest.parallelism)
    t.ok(Math.abs(rest.memoryKiB * rest.iterations - work) <= current.iterations, `${work}`)
  }))
  t.end()
})

t.test('a stored hash cannot demand what would take the machine down', { timeout: 20_000 }, async t => {
  const hasher = newHasher()
  const stored = await hasher.hash('correct horse', PLACE)
  for (const cost of ['m=4194304,t=1,p=1', 'm=64,t=4294967295,p=1', 'm=128,t=8192,p=16', 'm=262144,t=5,p=1', 'm=65536,t=2,p=17', 'm=9999999999,t=9999999999,p=99999999']) {
    t.equal(await hasher.verify(withCost(stored, cost), 'correct horse', PLACE), false, cost)
  }
})

t.test('what the service itself makes is never too much', async t => {
  const hasher = newHasher({ memoryKiB: 256, iterations: 65, parallelism: 17 })
  t.equal(await hasher.verify(await hasher.hash('correct horse', PLACE), 'correct horse', PLACE), true)
})

t.test('a lone surrogate is no password', async t => {
  const hasher = newHasher()
  await t.rejects(hasher.hash('correct \ud800 horse', PLACE), TypeError)
  const stored = await hasher.hash('correct \ufffd horse', PLACE)
  t.equal(await hasher.verify(stored, 'correct \ud800 horse', PLACE), false, 'though UTF-8 would make them alike')
  t.equal(await hasher.verify(stored, 'correct \ufffd horse', PLACE), true)
})

t.test('a hash is stale when its format or cost is not the current one', async t => {
  const hasher = newHasher()
  const stored = await hasher.hash('correct horse', PLACE)
  t.equal(hasher.isStale(stored), false)
  for (const cost of ['m=65,t=2,p=1', 'm=64,t=1,p=1', 'm=64,t=2,p=2']) t.equal(hasher.isStale(withCost(stored, cost)), true, cost)
  t.equal(hasher.isStale(await argon2.hash('correct horse', { memoryCost: 64, timeCost: 2, parallelism: 1, hashLength: 16 })), true)
  t.equal(hasher.isStale('$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'), true)
  t.equal(hasher.isStale(''), true)
})

t.test('a full queue refuses hashing and verifying alike', async t => {
  const hasher = createPasswordHasher({ ...CHEAP, queue: createHashQueue({ concurrency: 1, limit: 0 }) })
  const first = hasher.hash('correct horse', PLACE)
  await t.rejects(hasher.hash('correct horse', PLACE), HashQueueFull)
  await t.rejects(hasher.verify(null, 'correct horse', PLACE), HashQueueFull)
  t.equal(await hasher.verify(await first, 'correct horse', PLACE), true)
})

t.test('making a hasher computes no hash', async t => {
  const before = process.cpuUsage()
  newHasher({ memoryKiB: 1024 * 1024, iterations: 8, parallelism: 1 })
  t.ok(process.cpuUsage(before).user < 50_000)
})

function costs (): fc.Arbitrary<Argon2idCost> {
  return fc.integer({ min: 1, max: 16 }).chain(parallelism => fc.record({
    memoryKiB: fc.integer({ min: 8 * parallelism, max: 1 << 18 }),
    iterations: fc.integer({ min: 1, max: 64 }),
    parallelism: fc.constant(parallelism)
  }))
}

/** In ms, of all threads: unlike the time on the wall, it is the same on a busy machine. */
async function processorTimeOf (work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function median (values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN
}
