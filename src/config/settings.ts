import { privateKeyRing } from './private-keys.ts'
import { inGroup } from './setting.ts'
import { signInSettings } from './sign-in-settings.ts'
import { duration, flag, hostname, integer, list, oneOf, origin, proxies, publicAddress, ring, text, url } from './values.ts'

const process = inGroup('The process')
const data = inGroup('Data')
const keys = inGroup('Secrets and tokens')
const sessions = inGroup('Sessions and cookies')
const passwords = inGroup('Passwords')

/** Every setting of the service, by its name in `Config`. */
export const settings = {
  nodeEnv: process('NODE_ENV', oneOf('development', 'production', 'test'), { fallback: 'development', example: 'production', about: 'In production nothing is made up: a database and both secrets must be given.' }),
  host: process('HOST', text, { fallback: '127.0.0.1', example: '0.0.0.0', about: 'The address to listen on.' }),
  port: process('PORT', integer(0, 65_535), { fallback: '3000', example: '8080', about: 'The port to listen on; 0 takes a free one.' }),
  logLevel: process('LOG_LEVEL', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), { fallback: 'info', example: 'warn', about: 'The least severe log line that is written.' }),
  trustProxy: process('TRUST_PROXY', proxies, { fallback: 'false', example: '1', about: 'How many proxies stand in front, or their addresses. Without it no forwarded header is believed.' }),
  publicUrl: process('PUBLIC_URL', publicAddress, { fallbackAbout: 'http://localhost:PORT; with PORT=0 just http://localhost, and the cookies of browsers need it to be set', example: 'https://auth.example.com', about: 'Where people reach the service. Its scheme decides the names of the cookies.' }),
  allowedOrigins: process('ALLOWED_ORIGINS', list(origin), { fallbackAbout: 'none but PUBLIC_URL', example: 'https://app.example.com,https://shop.example.com', about: 'Origins whose pages may call the service with cookies, exactly as browsers send them.' }),

  databaseUrl: data('DATABASE_URL', url('postgresql', 'postgres'), { fallbackAbout: 'an embedded Postgres in DATA_DIR', example: 'postgresql://countersign:password@localhost:5432/countersign', about: 'The PostgreSQL database (15 or later).' }),
  databasePoolSize: data('DATABASE_POOL_SIZE', integer(1, 1000), { fallback: '10', example: '20', about: 'The most connections this process opens to the database.' }),
  databaseAcquireTimeout: data('DATABASE_ACQUIRE_TIMEOUT', duration({ max: '30s' }), { fallback: '2s', example: '5s', about: 'How long a request waits for a connection.' }),
  databaseStatementTimeout: data('DATABASE_STATEMENT_TIMEOUT', duration({ max: '30s' }), { fallback: '3s', example: '5s', about: 'How long one statement may run.' }),
  redisUrl: data('REDIS_URL', url('redis', 'rediss'), { fallbackAbout: 'none: stateful sessions are read from Postgres', example: 'redis://localhost:6379', about: 'A Redis that holds copies of stateful sessions. Losing it loses nothing.' }),
  dataDir: data('DATA_DIR', text, { fallback: '.countersign', example: '/var/lib/countersign', about: 'Where the embedded database and the secrets of a development machine are kept.' }),
  auditRetention: data('AUDIT_RETENTION', duration(), { fallback: '365d', example: '90d', about: 'How long events of the audit trail are kept.' }),
  allowEmbeddedDatabase: data('ALLOW_EMBEDDED_DATABASE', flag, { fallback: 'false', example: 'true', about: 'Lets production run on the embedded database: one process, no replica.' }),

  secrets: keys('COUNTERSIGN_SECRET', ring, { fallbackAbout: 'made at first start (never in production)', example: '<the output of: countersign secret>', about: 'The secret that never leaves the service. Several, separated by commas, are a ring: the first signs, all verify.' }),
  jwtSecrets: keys('JWT_SECRET', ring, { fallbackAbout: 'made at first start (never in production)', example: '<the output of: countersign secret>', about: 'The HS256 key of access tokens, shared with services that verify them. A ring as well. Not needed where JWT_PRIVATE_KEY signs.' }),
  algorithm: keys('JWT_ALGORITHM', oneOf('HS256', 'EdDSA', 'ES256', 'RS256'), { fallback: 'HS256', example: 'EdDSA', about: 'What access tokens are signed with: the shared JWT_SECRET (HS256), or JWT_PRIVATE_KEY, whose public half is served as a JWKS.' }),
  privateKeys: keys('JWT_PRIVATE_KEY', privateKeyRing, { fallbackAbout: 'none', example: '<the output of: openssl genpkey -algorithm ed25519>', about: 'The private key in PEM (PKCS#8; line ends may be written as \\n). Several, one after the other, are a ring: the first signs, all verify and are served.' }),
  allowGeneratedSecrets: keys('ALLOW_GENERATED_SECRETS', flag, { fallback: 'false', example: 'true', about: 'Lets production use secrets made by the service and kept in DATA_DIR.' }),
  issuer: keys('JWT_ISSUER', text, { fallbackAbout: 'PUBLIC_URL', example: 'https://auth.example.com', about: 'The issuer (iss) of access tokens.' }),
  audience: keys('JWT_AUDIENCE', text, { fallback: 'api', example: 'shop-api', about: 'The audience (aud) of access tokens.' }),
  accessTokenTtl: keys('ACCESS_TOKEN_TTL', duration({ max: '1h' }), { fallback: '10m', example: '5m', about: 'How long an access token lives; at most 1h, for revocations are kept no longer.' }),

  refreshTtl: sessions('REFRESH_TTL', duration(), { fallback: '90d', example: '30d', about: 'How long a session with refresh tokens lasts at most.' }),
  refreshIdleTtl: sessions('REFRESH_IDLE_TTL', duration(), { fallback: '30d', example: '14d', about: 'How long such a session lasts unused.' }),
  sessionTtl: sessions('SESSION_TTL', duration(), { fallback: '30d', example: '7d', about: 'How long a stateful session lasts at most.' }),
  sessionIdleTtl: sessions('SESSION_IDLE_TTL', duration(), { fallback: '7d', example: '1d', about: 'How long a stateful session lasts unused.' }),
  maxStaleness: sessions('REVOCATION_MAX_STALENESS', duration({ max: '1h' }), { fallback: '30s', example: '10s', about: 'How long tokens are accepted while the ledger of revocations cannot be read; then they are answered 503.' }),
  cookieDomain: sessions('COOKIE_DOMAIN', hostname, { fallbackAbout: 'none: the cookie is for this host alone', example: 'example.com', about: 'Shares the access cookie, and no other, with the subdomains of a domain.' }),
  cookieSameSite: sessions('COOKIE_SAMESITE', oneOf('lax', 'strict'), { fallback: 'lax', example: 'strict', about: 'The SameSite attribute of the cookies.' }),

  passwordMinLength: passwords('PASSWORD_MIN_LENGTH', integer(8, 64), { fallback: '8', example: '15', about: 'The fewest characters of a password. NIST asks for 15 where a password is the only factor.' }),
  argon2MemoryKib: passwords('ARGON2_MEMORY_KIB', integer(7168, 1_048_576), { fallback: '19456', example: '65536', about: 'Memory of one argon2id hash, in KiB.' }),
  argon2Iterations: passwords('ARGON2_ITERATIONS', integer(1, 20), { fallback: '2', example: '3', about: 'Passes of one argon2id hash.' }),
  argon2Parallelism: passwords('ARGON2_PARALLELISM', integer(1, 16), { fallback: '1', example: '2', about: 'Lanes of one argon2id hash.' }),
  hashConcurrency: passwords('HASH_CONCURRENCY', integer(1, 128), { fallbackAbout: 'the lesser of the number of cores and UV_THREADPOOL_SIZE, less one; at least 1', example: '2', about: 'How many password hashes run at once; at most UV_THREADPOOL_SIZE, on whose threads they run.' }),
  threadPoolSize: passwords('UV_THREADPOOL_SIZE', integer(1, 1024), { fallback: '4', example: '8', about: 'The threads that Node has for hashes, files and host names. Node reads it itself, from the environment of the process. On more than four cores, more of them let more hashes run.' }),
  hashQueueLimit: passwords('HASH_QUEUE_LIMIT', integer(8, 10_000), { fallback: '128', example: '256', about: 'How many wait for one; the rest are answered 503 at once.' }),

  ...signInSettings
} as const
