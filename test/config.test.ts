import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmodSync, chownSync, lchownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ConfigurationError, readConfig, type Environment } from '../src/config.ts'
import { generateSecret } from '../src/config/generated-secrets.ts'
import { rsaKeyPair } from './support/rsa-keys.ts'

const SECRETS = { COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret() }

/** The problems that an environment has, by the names of its variables, in the order of the alphabet. */
function problemsOf (environment: Environment): Array<[variable: string, problem: string]> {
  try {
    readConfig({ ...SECRETS, ...environment })
    return []
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return error.problems.map(({ variable, problem }): [string, string] => [variable, problem]).sort()
  }
}

const variablesOf = (environment: Environment) => problemsOf(environment).map(([variable]) => variable)

function dataDirectory (t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-test-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

t.test('every problem is reported at once, with the name of its variable and an example', async t => {
  const environment = { PORT: '70000', ACCESS_TOKEN_TTL: '2h', ALLOWED_ORIGINS: '*', LOG_LEVEL: 'loud', JWT_SECRET: 'short', DATABASE_URL: 'mysql://x', NODE_ENV: 'prod' }
  t.strictSame(variablesOf(environment), Object.keys(environment).sort())
  const error = t.throws(() => readConfig({ ...SECRETS, ...environment }), ConfigurationError)
  for (const variable of Object.keys(environment)) t.match((error as Error).message, new RegExp(`^  ${variable} .+, for example ${variable}=.+$`, 'm'))
})

t.test('no problem repeats a secret, or a password in a URL', async t => {
  const error = t.throws(() => readConfig({ COUNTERSIGN_SECRET: 'hunter2hunter2', JWT_SECRET: ' padded-hunter3-secret-of-quite-some-length ', DATABASE_URL: 'postgrez://u:hunter4@h/d', REDIS_URL: 'http://:hunter5@h' }), ConfigurationError)
  t.notMatch((error as Error).message, /hunter/)
})

t.test('an empty environment is enough in development', async t => {
  const config = readConfig({ DATA_DIR: dataDirectory(t) })
  t.match(config, { nodeEnv: 'development', host: '127.0.0.1', port: 3000, publicUrl: 'http://localhost:3000', issuer: 'http://localhost:3000', audience: 'api', accessTokenTtl: 600, trustProxy: false })
  t.match(config, { argon2MemoryKib: 19_456, argon2Iterations: 2, argon2Parallelism: 1, passwordMinLength: 8, refreshTtl: 90 * 86_400, refreshIdleTtl: 30 * 86_400, sessionTtl: 30 * 86_400, sessionIdleTtl: 7 * 86_400, maxStaleness: 30 })
  t.strictSame(config.allowedOrigins, ['http://localhost:3000'])
  t.ok(Object.isFrozen(config))
})

t.test('a variable that is empty is one that is not set', async t => {
  t.strictSame(problemsOf({ PORT: '', ALLOWED_ORIGINS: '', DATABASE_URL: '', COOKIE_DOMAIN: '', TRUST_PROXY: '' }), [])
  t.equal(readConfig({ ...SECRETS, PORT: '' }).port, 3000)
})

t.test('durations are a whole number and a unit', async t => {
  for (const [text, seconds] of Object.entries({ '1s': 1, '90s': 90, '10m': 600, '1h': 3600, '60m': 3600, '3600s': 3600 })) t.equal(readConfig({ ...SECRETS, ACCESS_TOKEN_TTL: text }).accessTokenTtl, seconds, text)
  for (const text of ['10', '0m', '-1m', '1.5h', '10 m', ' 10m', '10M', '10min', 'm', '1e3s', '٣m', '10m10s', '99999999999s', 'Infinity']) t.strictSame(variablesOf({ ACCESS_TOKEN_TTL: text }), ['ACCESS_TOKEN_TTL'], text)
})

t.test('an access token lives an hour at most', async t => {
  for (const text of ['2h', '61m', '3601s', '1d']) t.match(problemsOf({ ACCESS_TOKEN_TTL: text }), [['ACCESS_TOKEN_TTL', /at most 1h/]], text)
})

t.test('an idle life is no longer than the whole', async t => {
  t.strictSame(variablesOf({ SESSION_TTL: '1d', SESSION_IDLE_TTL: '2d', REFRESH_TTL: '1d', REFRESH_IDLE_TTL: '2d' }), ['REFRESH_IDLE_TTL', 'SESSION_IDLE_TTL'])
})

t.test('the direct address is one of the same tables', async t => {
  const [pooled, direct] = ['postgres://pooler.example/auth', 'postgres://db.example/auth']
  t.strictSame(problemsOf({ DATABASE_DIRECT_URL: direct }), [['DATABASE_DIRECT_URL', 'is set without DATABASE_URL']])
  t.strictSame(problemsOf({ DATABASE_URL: `${pooled}?schema=auth`, DATABASE_DIRECT_URL: direct }), [['DATABASE_DIRECT_URL', 'must name the schema that DATABASE_URL names']])
  for (const query of ['', '?schema=auth']) t.strictSame(problemsOf({ DATABASE_URL: `${pooled}${query}`, DATABASE_DIRECT_URL: `${direct}${query}` }), [])
})

t.test('origins are exact: no pattern, no null, nothing after the port', async t => {
  for (const origin of ['*', 'null', 'https://*.example.com', 'https://app.example.com/', 'https://app.example.com/path', 'app.example.com', 'https://', 'file:///x', 'ftp://x.example', 'https://app.example.com?x', 'https://u:p@app.example.com', 'https://app.example.com,*', 'https://app.example.com,,https://b.example']) {
    t.strictSame(variablesOf({ ALLOWED_ORIGINS: origin }), ['ALLOWED_ORIGINS'], origin)
  }
  t.strictSame(readConfig({ ...SECRETS, PUBLIC_URL: 'https://auth.example.com/', ALLOWED_ORIGINS: 'https://app.example.com, http://localhost:5173' }).allowedOrigins, ['https://auth.example.com', 'https://app.example.com', 'http://localhost:5173'])
})

t.test('PUBLIC_URL is known by one spelling', async t => {
  for (const text of ['https://auth.example.com', 'https://auth.example.com/', 'HTTPS://Auth.Example.COM', 'https://auth.example.com:443']) {
    t.match(readConfig({ ...SECRETS, PUBLIC_URL: text }), { publicUrl: 'https://auth.example.com', issuer: 'https://auth.example.com', allowedOrigins: ['https://auth.example.com'] }, text)
  }
  for (const text of ['auth.example.com', '//auth.example.com', 'ftp://auth.example.com', 'javascript:alert(1)', 'https://']) t.strictSame(variablesOf({ PUBLIC_URL: text }), ['PUBLIC_URL'], text)
})

t.test('TRUST_PROXY is off, a number of hops, or addresses', async t => {
  for (const [text, value] of [['false', false], ['1', 1], ['2', 2], ['10.0.0.0/8,::1', ['10.0.0.0/8', '::1']], ['loopback', ['loopback']]] as const) t.strictSame(readConfig({ ...SECRETS, TRUST_PROXY: text }).trustProxy, value, text)
  for (const text of ['yes', '-1', 'example.com', '10.0.0.0/x', '10.0.0.0/8/8', '1.5', '999.1.1.1', '10.0.0.0/33', '10.0.0.0/0', '10.0.0.0/', '::1/129', '::/0', '10.0.0.0/08']) t.strictSame(variablesOf({ TRUST_PROXY: text }), ['TRUST_PROXY'], text)
})

t.test('numbers have bounds', async t => {
  for (const [variable, ...values] of [['PORT', '-1', '65536', '1.5', '0x50', 'http'], ['PASSWORD_MIN_LENGTH', '7', '65', ''.padEnd(20, '9')], ['ARGON2_MEMORY_KIB', '7167', '1e6'], ['ARGON2_ITERATIONS', '0'], ['ARGON2_PARALLELISM', '0'], ['HASH_CONCURRENCY', '0'], ['HASH_QUEUE_LIMIT', '0'], ['DATABASE_POOL_SIZE', '0']] as const) {
    for (const value of values) t.strictSame(variablesOf({ [variable]: value }), [variable], `${variable}=${value}`)
  }
})

t.test('a cookie domain is that of PUBLIC_URL or above it', async t => {
  t.strictSame(variablesOf({ PUBLIC_URL: 'https://auth.example.com', COOKIE_DOMAIN: 'example.com' }), [])
  for (const domain of ['example.org', 'evil-example.com', 'com.example']) t.strictSame(variablesOf({ PUBLIC_URL: 'https://auth.example.com', COOKIE_DOMAIN: domain }), ['COOKIE_DOMAIN'], domain)
})

t.test('weak secrets are refused, each for its reason', async t => {
  const weak: Record<string, RegExp> = {
    short: /shorter than 32 bytes/,
    [generateSecret().slice(0, 31)]: /shorter than 32 bytes/,
    [` ${generateSecret()}`]: /white space/,
    [`${generateSecret()}\n`]: /white space/,
    [`${generateSecret()}, ${generateSecret()}`]: /white space/,
    ['a'.repeat(64)]: /repeats/,
    ['correct-horse-'.repeat(4)]: /repeats/,
    ['abcdefghijk'.repeat(4).slice(0, 40)]: /repeats/,
    [`${'0123456789abcdef'.repeat(2)}`]: /repeats/,
    'your-256-bit-secret-your-256-bit-secret!': /well-known|repeats/,
    'change-me-change-this-super-secret-key!!': /well-known/,
    'my-secret-my-jwt-secret-top-secret-password': /well-known/,
    abcdefghijklmnopqrstuvwxyz0123456789: /well-known/,
    'a-string-secret-at-least-256-bits-long': /well-known/,
    'a-string-secret-at-least-512-bits-long-for-you': /well-known/,
    'this-is-the-keyboard cat of Countersign!': /well-known/,
    '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END PUBLIC KEY-----': /PEM/,
    '-----BEGIN RSA PRIVATE KEY----- MIIEpAIBAAKCAQEA7bq': /PEM/,
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx8v1p5s1Qm': /SSH/,
    '{"kty":"oct","k":"GawgguFyGrWKav7AX4VKUg3b9kq2"}': /JSON/
  }
  for (const variable of ['COUNTERSIGN_SECRET', 'JWT_SECRET']) {
    for (const [secret, problem] of Object.entries(weak)) t.match(problemsOf({ [variable]: secret }).filter(([name]) => name === variable), [[variable, problem]], secret.slice(0, 30))
  }
})

t.test('a ring is as weak as its weakest secret, and holds none twice', async t => {
  const [one, two] = [generateSecret(), generateSecret()]
  t.strictSame(problemsOf({ JWT_SECRET: `${one},${two}` }), [])
  t.match(problemsOf({ JWT_SECRET: `${one},short` }), [['JWT_SECRET', /shorter/]])
  t.match(problemsOf({ JWT_SECRET: `${one},` }), [['JWT_SECRET', /shorter/]])
  t.match(problemsOf({ JWT_SECRET: `${one},${two},${one}` }), [['JWT_SECRET', /twice/]])
  t.match(problemsOf({ JWT_SECRET: two, COUNTERSIGN_SECRET: two }), [['JWT_SECRET', /same as COUNTERSIGN_SECRET/]])
  t.match(problemsOf({ JWT_SECRET: `${one},${two}`, COUNTERSIGN_SECRET: two }), [['JWT_SECRET', /same as COUNTERSIGN_SECRET/]])
})

t.test('every secret that the command makes is strong', async t => {
  for (let n = 0; n < 200; n++) {
    const secret = generateSecret()
    t.strictSame(problemsOf({ JWT_SECRET: secret }), [], secret)
  }
})

t.test('production makes nothing up', async t => {
  const bare = { NODE_ENV: 'production', COUNTERSIGN_SECRET: undefined, JWT_SECRET: undefined }
  t.strictSame(variablesOf(bare), ['COUNTERSIGN_SECRET', 'DATABASE_URL', 'JWT_SECRET'])
  t.strictSame(variablesOf({ ...bare, ...SECRETS }), ['DATABASE_URL'])
  t.strictSame(variablesOf({ ...bare, DATABASE_URL: 'postgres://h/d' }), ['COUNTERSIGN_SECRET', 'JWT_SECRET'])
  t.strictSame(variablesOf({ ...bare, ...SECRETS, DATABASE_URL: 'postgres://h/d' }), [])
})

t.test('production does so when it is told by name', async t => {
  t.strictSame(variablesOf({ NODE_ENV: 'production', ...SECRETS, ALLOW_EMBEDDED_DATABASE: 'true' }), [])
  const DATA_DIR = dataDirectory(t)
  t.equal(readConfig({ NODE_ENV: 'production', DATA_DIR, ALLOW_EMBEDDED_DATABASE: 'true', ALLOW_GENERATED_SECRETS: 'true' }).secrets.length, 1)
  for (const text of ['yes', '1', 'TRUE']) t.strictSame(variablesOf({ ALLOW_EMBEDDED_DATABASE: text }), ['ALLOW_EMBEDDED_DATABASE'], text)
})

t.test('secrets made for this machine', async t => {
  const DATA_DIR = join(dataDirectory(t), 'deep', 'down')
  const first = readConfig({ DATA_DIR })
  const file = join(DATA_DIR, 'secrets.json')

  t.test('are for their owner alone, and stay the same', async t => {
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.equal(statSync(DATA_DIR).mode & 0o077, 0)
    const second = readConfig({ DATA_DIR })
    t.strictSame([second.secrets, second.jwtSecrets], [first.secrets, first.jwtSecrets])
    t.not(first.secrets[0], first.jwtSecrets[0])
    t.not(readConfig({ DATA_DIR: dataDirectory(t) }).secrets[0], first.secrets[0], 'each machine has its own')
  })

  t.test('give way to those that are stated', async t => {
    const { secrets, jwtSecrets } = readConfig({ DATA_DIR, JWT_SECRET: SECRETS.JWT_SECRET })
    t.strictSame([secrets, jwtSecrets], [first.secrets, [SECRETS.JWT_SECRET]])
  })

  t.test('are not made where both are stated', async t => {
    const unused = join(dataDirectory(t), 'unused')
    readConfig({ ...SECRETS, DATA_DIR: unused })
    t.throws(() => statSync(unused), { code: 'ENOENT' })
  })

  t.test('that cannot be read stop the start, and are left as they are', async t => {
    const directory = dataDirectory(t)
    for (const content of ['', '{', '{}', 'null', '{"secret":"x"}', '[]']) {
      writeFileSync(join(directory, 'secrets.json'), content, { mode: 0o600 })
      t.strictSame(variablesOf({ DATA_DIR: directory, JWT_SECRET: undefined, COUNTERSIGN_SECRET: undefined }), ['DATA_DIR'], content)
      t.equal(readFileSync(join(directory, 'secrets.json'), 'utf8'), content)
    }
  })

  t.test('that are weak, or that others may read, are refused', async t => {
    const directory = dataDirectory(t)
    const file = join(directory, 'secrets.json')
    const [secret, jwtSecret] = [generateSecret(), generateSecret()]
    const problems = () => problemsOf({ DATA_DIR: directory, JWT_SECRET: undefined, COUNTERSIGN_SECRET: undefined })
    for (const [content, said] of [[{ secret: '', jwtSecret }, /shorter/], [{ secret, jwtSecret: 'x'.repeat(40) }, /repeats/]] as const) {
      writeFileSync(file, JSON.stringify(content), { mode: 0o600 })
      t.match(problems(), [['DATA_DIR', said]])
      rmSync(file)
    }
    for (const mode of [0o640, 0o604, 0o660]) {
      writeFileSync(file, JSON.stringify({ secret, jwtSecret }))
      chmodSync(file, mode)
      t.match(problems(), [['DATA_DIR', /read by others/]], mode.toString(8))
    }
    chmodSync(file, 0o600)
    t.strictSame(problems(), [])
  })

  t.test('are neither read nor made through a link', async t => {
    const directory = dataDirectory(t)
    const elsewhere = join(dataDirectory(t), 'elsewhere')
    const problems = () => problemsOf({ DATA_DIR: directory, JWT_SECRET: undefined, COUNTERSIGN_SECRET: undefined })
    symlinkSync(elsewhere, join(directory, 'secrets.json'))
    t.match(problems(), [['DATA_DIR', /./]])
    t.throws(() => statSync(elsewhere), { code: 'ENOENT' }, 'nothing is written at its other end')
    writeFileSync(elsewhere, JSON.stringify({ secret: generateSecret(), jwtSecret: generateSecret() }), { mode: 0o600 })
    t.match(problems(), [['DATA_DIR', 'is not usable: its secrets.json is a symbolic link, which is not followed']])
  })

  t.test('need a directory that nobody else may write to', async t => {
    const directory = dataDirectory(t)
    const problems = () => problemsOf({ DATA_DIR: directory, JWT_SECRET: undefined, COUNTERSIGN_SECRET: undefined })
    for (const mode of [0o770, 0o707, 0o720, 0o702, 0o1777, 0o2775]) {
      chmodSync(directory, mode)
      t.match(problems(), [['DATA_DIR', `may be written to by others than its owner (its mode is ${mode.toString(8)}): chmod go-w it, or name a directory below it`]])
      t.strictSame(readdirSync(directory), [], 'nothing is written')
    }
    chmodSync(directory, 0o755)
    t.strictSame(problems(), [])
  })

  t.test('need a directory of their own user', { skip: process.getuid?.() !== 0 && 'only root can give a directory away' }, async t => {
    const directory = dataDirectory(t)
    const problems = () => problemsOf({ DATA_DIR: directory, JWT_SECRET: undefined, COUNTERSIGN_SECRET: undefined })
    const link = join(dataDirectory(t), 'link')
    symlinkSync(directory, link)
    t.strictSame(problemsOf({ DATA_DIR: link, JWT_SECRET: undefined, COUNTERSIGN_SECRET: undefined }), [], 'a link of the operator')
    lchownSync(link, 12_345, 12_345)
    t.match(problemsOf({ DATA_DIR: link, JWT_SECRET: undefined, COUNTERSIGN_SECRET: undefined }), [['DATA_DIR', /^belongs to the user with id 12345/]], 'a link of somebody else')
    chownSync(join(directory, 'secrets.json'), 12_345, 12_345)
    t.match(problems(), [['DATA_DIR', /its secrets.json belongs to another user/]])
    chownSync(directory, 12_345, 12_345)
    t.match(problems(), [['DATA_DIR', 'belongs to the user with id 12345, and the service runs as the one with id 0: chown it']])
  })

  t.test('are made for their owner alone, whatever the umask', async t => {
    const directory = join(dataDirectory(t), 'new')
    const umask = process.umask(0)
    try {
      readConfig({ DATA_DIR: directory })
    } finally {
      process.umask(umask)
    }
    t.strictSame([statSync(directory), statSync(join(directory, 'secrets.json'))].map(({ mode }) => mode & 0o777), [0o700, 0o600])
    t.strictSame(readdirSync(directory), ['secrets.json'], 'and no draft is left')
  })

  t.test('need a directory that can be written to', async t => {
    const directory = dataDirectory(t)
    writeFileSync(join(directory, 'a-file'), '')
    t.strictSame(variablesOf({ DATA_DIR: join(directory, 'a-file'), JWT_SECRET: undefined }), ['DATA_DIR'])
  })

  t.test('need it for others than root too', { skip: process.getuid?.() === 0 && 'root may write everywhere' }, async t => {
    const directory = dataDirectory(t)
    chmodSync(directory, 0o500)
    t.strictSame(variablesOf({ DATA_DIR: join(directory, 'x'), JWT_SECRET: undefined }), ['DATA_DIR'])
  })
})

t.test('JWT_PRIVATE_KEY is a ring of private keys, and JWT_ALGORITHM says which kind signs', async t => {
  const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }).toString()
  const [ed, other, ec, rsa] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519'), generateKeyPairSync('ec', { namedCurve: 'P-256' }), rsaKeyPair()].map(({ privateKey }) => pem(privateKey))
  const signing = { JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: `${ed}${ec},${rsa}` }

  t.test('written over several lines, or in one', async t => {
    for (const text of [signing.JWT_PRIVATE_KEY, signing.JWT_PRIVATE_KEY.replaceAll('\n', '\\n'), signing.JWT_PRIVATE_KEY.replaceAll('\n', '\r\n')]) {
      t.strictSame(readConfig({ ...SECRETS, ...signing, JWT_PRIVATE_KEY: text }).privateKeys.map(({ algorithm }) => algorithm), ['EdDSA', 'ES256', 'RS256'])
    }
    t.strictSame(readConfig(SECRETS).privateKeys, [])
  })

  // OpenSSL does not check what it imports.
  const weakRsa = (e: string) => pem(createPrivateKey({ key: { ...rsaKeyPair().privateKey.export({ format: 'jwk' }), e, d: 'AQ', dp: 'AQ', dq: 'AQ' }, format: 'jwk' }))

  t.test('what cannot sign is reported by name, and never repeated', async t => {
    const encrypted = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'hunter2' }).toString()
    const wrong: Array<[name: string, text: string | undefined, problem: RegExp]> = [
      ['none', undefined, /is required with JWT_ALGORITHM=EdDSA/],
      ['a key of another kind', ec, /begins with a key for ES256, and JWT_ALGORITHM is EdDSA/],
      ['a public key', createPublicKey(ed ?? '').export({ format: 'pem', type: 'spki' }).toString(), /public key/],
      ['a public key in the ring', `${ed}${createPublicKey(other ?? '').export({ format: 'pem', type: 'spki' }).toString()}`, /public key/],
      ['an encrypted key', encrypted, /passphrase/],
      ['SEC 1', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'sec1' }).toString(), /pkcs8/],
      ['PKCS#1', rsaKeyPair().privateKey.export({ format: 'pem', type: 'pkcs1' }).toString(), /pkcs8/],
      ['a short RSA key', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), /fewer than 2048 bits/],
      ['an RSA key with e = 1', weakRsa('AQ'), /exponent/],
      ['an RSA key with e = 3', weakRsa('Aw'), /exponent/],
      ['an RSA key with an even e', weakRsa('AQAA'), /exponent/],
      ['another curve', pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey), /Ed25519 keys/],
      ['a key for agreement', pem(generateKeyPairSync('x25519').privateKey), /Ed25519 keys/],
      ['a key that is cut off', `${ed?.slice(0, 60)}\n-----END PRIVATE KEY-----`, /cannot be read/],
      ['a JWK', JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })), /PEM/],
      ['text beside the key', `${ed} and more`, /PEM/],
      ['the same key twice', `${ed}${ed}`, /the same key twice/],
      ['text', 'hunter2', /PEM/]
    ]
    for (const [name, text, problem] of wrong) {
      const problems = problemsOf({ JWT_ALGORITHM: 'EdDSA', ...text !== undefined && { JWT_PRIVATE_KEY: text } })
      t.match(problems, [['JWT_PRIVATE_KEY', problem]], name)
      t.equal(problems.length, 1, name)
      t.notMatch(JSON.stringify(problems), /hunter2/)
    }
    for (const algorithm of ['HS512', 'none', 'eddsa', 'ES384']) t.strictSame(variablesOf({ JWT_ALGORITHM: algorithm }), ['JWT_ALGORITHM'], algorithm)
  })

  t.test('in production a private key does for JWT_SECRET', async t => {
    const production = { NODE_ENV: 'production', DATABASE_URL: 'postgres://localhost/x', COUNTERSIGN_SECRET: SECRETS.COUNTERSIGN_SECRET }
    t.strictSame(readConfig({ ...production, ...signing }).jwtSecrets, [])
    t.throws(() => readConfig({ ...production, JWT_PRIVATE_KEY: ed }), /JWT_SECRET is required in production/)
  })

  t.test('no key of either kind passes for a shared secret', async t => {
    for (const text of [ed, createPublicKey(ed ?? '').export({ format: 'pem', type: 'spki' }).toString(), JSON.stringify(createPublicKey(rsa ?? '').export({ format: 'jwk' }))]) {
      t.match(problemsOf({ JWT_SECRET: String(text).trim() }), [['JWT_SECRET', /PEM|JSON/]])
    }
  })
})

t.test('password hashes are given no more threads than there are, and leave one', async t => {
  const ofHashes = (settings: Record<string, string> = {}) => readConfig({ ...SECRETS, ...settings }).hashConcurrency
  t.equal(ofHashes(), Math.max(1, Math.min(availableParallelism(), 4) - 1))
  t.equal(ofHashes({ UV_THREADPOOL_SIZE: '1' }), 1)
  t.equal(ofHashes({ UV_THREADPOOL_SIZE: '1024' }), Math.max(1, availableParallelism() - 1))
  t.equal(ofHashes({ HASH_CONCURRENCY: '4' }), 4)
  t.equal(ofHashes({ HASH_CONCURRENCY: '16', UV_THREADPOOL_SIZE: '17' }), 16)
  for (const settings of [{ HASH_CONCURRENCY: '5' }, { HASH_CONCURRENCY: '8', UV_THREADPOOL_SIZE: '7' }]) {
    t.match(t.throws(() => ofHashes(settings)), { problems: [{ variable: 'HASH_CONCURRENCY', problem: /UV_THREADPOOL_SIZE/ }] })
  }
})

t.test('a port that is not known yet is not in the public URL', async t => {
  t.equal(readConfig({ ...SECRETS, PORT: '0' }).publicUrl, 'http://localhost')
  t.equal(readConfig({ ...SECRETS, PORT: '0', PUBLIC_URL: 'http://localhost:8080' }).publicUrl, 'http://localhost:8080')
})

t.test('a database at several addresses is refused, in words that say what to do', async t => {
  for (const url of ['postgres://ada:x@db1,db2/auth', 'postgres://ada:x@db1:5432,db2:5432/auth?target_session_attrs=primary', 'postgres://db1/auth?target_session_attrs=read-write', 'postgres:///auth?host=db1,db2']) {
    t.throws(() => readConfig({ ...SECRETS, DATABASE_URL: url }), { message: /DATABASE_URL must name one host.*follows the primary/ }, url)
  }
  t.equal(readConfig({ ...SECRETS, DATABASE_URL: 'postgres://ada:a%2Cb@db1:5432/auth?sslmode=require' }).databaseUrl, 'postgres://ada:a%2Cb@db1:5432/auth?sslmode=require')
  t.throws(() => readConfig({ ...SECRETS, DATABASE_URL: 'mysql://db1/auth' }), { message: /postgres:\/\// })
  t.equal(readConfig({ ...SECRETS, SHUTDOWN_DELAY: '5s' }).shutdownDelay, 5)
  t.equal(readConfig(SECRETS).shutdownDelay, 0)
})
