import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { InvalidToken } from 'countersign-verifier'
import { createHmacKey, createRevocationSet, createTokenVerifier, type VerificationKey, type TokenVerifierOptions } from 'countersign-verifier/internal'
import { createTokenWriter, type TokenIssuer } from '../support/hostile-tokens.ts'

const NOW = 1_800_000_000
const ENTRY_BYTES = 1024
const api: TokenIssuer = { secret: randomBytes(48).toString('base64url'), issuer: 'https://auth.example.com', audience: 'api' }
const writer = createTokenWriter(api)

/** A verifier whose clock can be set, and that tells how often it had to look at a signature. */
function world (options: Partial<TokenVerifierOptions> = {}) {
  let looks = 0
  let now = NOW
  const counted = (key: VerificationKey): VerificationKey => ({
    ...key,
    verify (...signed) {
      looks++
      return key.verify(...signed)
    }
  })
  const key = counted(createHmacKey(api.secret, api.issuer, api.audience))
  const verifier = createTokenVerifier({ issuer: api.issuer, audience: api.audience, keys: [key], clock: () => now * 1000, ...options })
  return {
    key,
    verifier,
    /** Lets a token come until it is remembered. */
    remember (token: string) {
      for (let i = 0; i < 2; i++) verifier.verify(token)
    },
    looks: () => looks,
    setClock (seconds: number) { now = seconds }
  }
}

function tokenOf (user: string, changes = {}): string {
  return writer.good(NOW, { sub: user, sid: `session of ${user}`, email: `${user}@example.com`, ...changes })
}

t.test('a good token that comes again is remembered, and not looked at any more', async t => {
  const { verifier, remember, looks } = world()
  const token = tokenOf('ada')
  remember(token)
  t.equal(looks(), 2)
  t.equal(verifier.verify(token), verifier.verify(token))
  t.equal(verifier.verify(token, 'cookie'), verifier.verify(token, 'cookie'))
  t.equal(looks(), 2)
})

t.test('without a cache it is looked at every time', async t => {
  const { verifier, looks } = world({ cacheBytes: 0 })
  for (let i = 0; i < 3; i++) verifier.verify(tokenOf('ada'))
  t.equal(looks(), 3)
})

t.test('a refused token is not remembered, whatever it was refused for', async t => {
  const revocations = createRevocationSet()
  revocations.add({ kind: 'session', id: 'session of eve', expiresAt: NOW + 3660 })
  const { verifier, looks } = world({ revocations })
  const refused = [
    tokenOf('ada').slice(0, -1) + '?', tokenOf('ada', { role: 'root' }), tokenOf('ada', { aud: 'other' }), tokenOf('ada', { iat: NOW + 62 }),
    tokenOf('ada', { iat: NOW - 60, exp: NOW - 30 }), tokenOf('eve')
  ]
  for (const token of [...refused, ...refused]) t.throws(() => verifier.verify(token), InvalidToken)
  t.ok(looks() >= refused.length * 2 - 2, `${looks()} looks`)
  t.match(verifier.verify(tokenOf('ada')), { id: 'ada' })
})

t.test('users that come in any order are never taken for each other', async t => {
  const users = ['ada', 'grace', 'edsger', 'barbara', 'donald']
  const tokens = new Map(users.map(user => [user, tokenOf(user)]))
  const visits = fc.array(fc.tuple(fc.constantFrom(...users), fc.constantFrom('bearer', 'cookie')), { minLength: 1, maxLength: 60 })
  // Room for none, for one, for two a generation, and for all.
  for (const cacheBytes of [0, 3500, 7000, 2 ** 20]) {
    const { verifier } = world({ cacheBytes })
    fc.assert(fc.property(visits, visits => visits.every(([user, credential]) => {
      const principal = verifier.verify(tokens.get(user) ?? '', credential)
      return principal.id === user && principal.email === `${user}@example.com` && principal.sessionId === `session of ${user}` && principal.credential === credential
    })))
  }
  t.equal(tokens.size, 5)
})

t.test('tokens that differ in their last character alone are two tokens', async t => {
  const { verifier } = world()
  const token = tokenOf('ada')
  verifier.verify(token)
  for (const other of [token.slice(0, -1), `${token}A`, `${token} `, token.replace(/.$/, last => last === 'A' ? 'E' : 'A'), token.toLowerCase(), ` ${token}`]) {
    t.throws(() => verifier.verify(other), InvalidToken)
  }
})

t.test('a token that borrows the signature of a remembered one is looked at for itself, and displaces nothing', async t => {
  const { verifier, remember, looks } = world()
  const ada = tokenOf('ada')
  remember(ada)
  const [header = '', , signature = ''] = ada.split('.')
  for (const borrowed of [signature, `B${signature.slice(1)}`, `${'B'.repeat(11)}${signature.slice(11)}`]) {
    const token = `${header}.${tokenOf('eve').split('.')[1]}.${borrowed}`
    for (let i = 0; i < 2; i++) t.throws(() => verifier.verify(token), new InvalidToken('bad_signature'))
  }
  const before = looks()
  t.match(verifier.verify(ada), { id: 'ada' })
  t.equal(looks(), before)
})

t.test('a remembered token expires like any other', async t => {
  const { verifier, remember, setClock, looks } = world()
  const token = tokenOf('ada')
  remember(token)
  setClock(NOW + 604)
  t.match(verifier.verify(token), { id: 'ada' })
  for (const now of [NOW + 606, NOW + 3600, NOW + 31536000]) {
    setClock(now)
    t.throws(() => verifier.verify(token), new InvalidToken('expired'))
  }
  t.equal(looks(), 2, 'by what is remembered')
})

t.test('revocations are asked after the cache, every time', async t => {
  const revocations = createRevocationSet()
  const { verifier, remember, looks } = world({ revocations })
  const [ada, grace] = [tokenOf('ada'), tokenOf('grace', { ver: 3 })]
  for (const token of [ada, grace]) remember(token)

  revocations.add({ kind: 'session', id: 'session of ada', expiresAt: NOW + 3660 })
  t.throws(() => verifier.verify(ada), new InvalidToken('revoked'))
  t.throws(() => verifier.verify(ada, 'cookie'), new InvalidToken('revoked'))
  t.match(verifier.verify(grace), { id: 'grace' })

  revocations.add({ kind: 'user', id: 'grace', minVersion: 4, expiresAt: NOW + 3660 })
  t.throws(() => verifier.verify(grace), new InvalidToken('revoked'))
  t.match(verifier.verify(tokenOf('grace', { ver: 4 })), { id: 'grace' })
  t.throws(() => verifier.verify(tokenOf('grace', { ver: undefined })), new InvalidToken('revoked'), 'no version is the oldest')
  t.equal(looks(), 6, 'what was remembered was not looked at again')
})

t.test('freshness is asked after the cache, every time', async t => {
  let isFresh = true
  let asked = 0
  const assertFresh = () => {
    asked++
    if (!isFresh) throw new InvalidToken('stale')
  }
  const { verifier, remember } = world({ assertFresh })
  const token = tokenOf('ada')
  remember(token)
  verifier.verify(token)
  t.equal(asked, 3)
  isFresh = false
  t.throws(() => verifier.verify(token), new InvalidToken('stale'))
  t.throws(() => verifier.verify(tokenOf('grace')), new InvalidToken('stale'))
  isFresh = true
  t.match(verifier.verify(token), { id: 'ada' })
})

t.test('when keys change, everything is forgotten', async t => {
  const { verifier, remember, key, looks } = world()
  const next = createHmacKey(randomBytes(48).toString('base64url'), api.issuer, api.audience)
  const token = tokenOf('ada')
  remember(token)

  verifier.setKeys([next, key])
  t.match(verifier.verify(token), { id: 'ada' })
  t.equal(looks(), 3, 'a key that stays is asked again')

  verifier.setKeys([next])
  t.throws(() => verifier.verify(token), new InvalidToken('unknown_key'))
  verifier.setKeys([])
  t.throws(() => verifier.verify(token), new InvalidToken('unknown_key'))
  verifier.setKeys([key])
  t.match(verifier.verify(token), { id: 'ada' })
})

t.test('keys change by setKeys alone: what becomes of the array that was given changes nothing', async t => {
  const { key } = world()
  const given = [key]
  const { verifier, remember } = world({ keys: given })
  remember(tokenOf('ada'))
  given.pop()
  t.match(verifier.verify(tokenOf('ada')), { id: 'ada' })
  t.match(verifier.verify(tokenOf('grace')), { id: 'grace' }, 'remembered or not, the answer is the same')

  const next = [key]
  verifier.setKeys(next)
  next.pop()
  t.match(verifier.verify(tokenOf('grace')), { id: 'grace' })
})

t.test('it keeps no more than its bytes allow', async t => {
  const tokens = Array.from({ length: 200 }, (_, index) => tokenOf(`user ${index}`))
  const bytes = tokenOf('user 0').length + ENTRY_BYTES
  for (const cacheBytes of [0, 1, bytes, 2 * bytes + 50, 5 * bytes, 20 * bytes, 60 * bytes]) {
    const { verifier, remember, looks } = world({ cacheBytes })
    for (const token of tokens) remember(token)
    t.equal(looks(), 2 * tokens.length)

    let kept = 0
    for (const token of tokens.toReversed()) {
      const before = looks()
      verifier.verify(token)
      if (looks() > before) break
      kept++
    }
    t.ok(kept * bytes <= cacheBytes, `${kept} in ${cacheBytes} bytes`)
    t.ok(kept * bytes >= cacheBytes / 2 - 2 * bytes, 'and not much less than half of it')
  }
})

t.test('it keeps tokens, and not the headers they came in', async t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heap = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const cacheBytes = 4 * 2 ** 20
  const { verifier } = world({ cacheBytes })
  const before = heap()
  for (let index = 0; index < 5000; index++) {
    const header = Buffer.from(`theme=${'x'.repeat(7000)}; access=${tokenOf(`user ${index}`)}`).toString('latin1')
    for (let i = 0; i < 2; i++) verifier.verify(header.slice(header.lastIndexOf('=') + 1), 'cookie')
  }
  const kept = heap() - before
  t.ok(kept < cacheBytes * 1.25, `${kept} bytes in a cache of ${cacheBytes}`)
  t.match(verifier.verify(tokenOf('ada')), { id: 'ada' })
})

t.test('a token too large for its generation is verified all the same', async t => {
  const { verifier, looks } = world({ cacheBytes: 2 * ENTRY_BYTES + 3000 })
  const large = tokenOf('ada', { filler: 'x'.repeat(2000) })
  for (let i = 0; i < 3; i++) t.match(verifier.verify(large), { id: 'ada' })
  t.equal(looks(), 3)
})

t.test('what is in use stays, whatever else comes', async t => {
  const { verifier, remember, looks } = world({ cacheBytes: 20 * (tokenOf('ada').length + ENTRY_BYTES) })
  const ada = tokenOf('ada')
  remember(ada)
  for (let index = 1; index <= 300; index++) {
    remember(tokenOf(`user ${index}`))
    t.match(verifier.verify(ada), { id: 'ada' })
  }
  t.equal(looks(), 602)
})

t.test('tokens that come once take no room, however many', async t => {
  const { verifier, remember, looks } = world({ cacheBytes: 6 * (tokenOf('ada').length + ENTRY_BYTES) })
  const ada = tokenOf('ada')
  remember(ada)
  for (let index = 1; index <= 300; index++) verifier.verify(tokenOf(`user ${index}`))
  t.match(verifier.verify(ada), { id: 'ada' })
  t.equal(looks(), 302)
})

t.test('a signature is borrowed from the old generation in vain too', async t => {
  const { verifier, remember, looks } = world({ cacheBytes: 6 * (tokenOf('ada').length + ENTRY_BYTES) })
  const ada = tokenOf('ada')
  remember(ada)
  for (const user of ['grace', 'edsger', 'barbara']) remember(tokenOf(user))
  const [header = '', , signature = ''] = ada.split('.')
  t.throws(() => verifier.verify(`${header}.${tokenOf('eve').split('.')[1]}.${signature}`), new InvalidToken('bad_signature'))
  const before = looks()
  t.match(verifier.verify(ada), { id: 'ada' })
  t.equal(looks(), before, 'it was still remembered')
})

t.test('of two good tokens that end alike each is its own user, and neither drives out others', async t => {
  const { key } = world()
  let looks = 0
  // No key gives two payloads one signature: this one takes any for good.
  const credulous = { ...key, verify: () => { looks++; return true } }
  const { verifier, remember } = world({ keys: [credulous] })
  const [header, , signature] = tokenOf('ada').split('.')
  const endingAlike = (user: string) => [header, tokenOf(user).split('.')[1], signature].join('.')
  const [ada, grace, edsger] = [endingAlike('ada'), endingAlike('grace'), tokenOf('edsger')]
  remember(edsger)
  remember(ada)
  for (let i = 0; i < 20_000; i++) {
    if (verifier.verify(grace).id !== 'grace' || verifier.verify(ada).id !== 'ada') return t.fail('one user was taken for the other')
  }
  const before = looks
  t.match(verifier.verify(edsger), { id: 'edsger' })
  t.match(verifier.verify(ada), { id: 'ada' })
  t.equal(looks, before, 'both are still remembered')
})
