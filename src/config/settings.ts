import { privateKeyRing } from './private-keys.ts'
import { inGroup } from './define-setting.ts'
import { providerSettings } from './provider-settings-table.ts'
import { duration, flag, hostname, integer, list, oneOf, origin, proxies, publicAddress, ring, text, url } from './parsers.ts'

const process = inGroup('The process')
const data = inGroup('Data')
const keys = inGroup('Secrets and tokens')
const sessions = inGroup('Sessions and cookies')
const passwords = inGroup('Passwords')

/** Every setting of the service, by its name in `Config`. */
export const settings = {
  nodeEnv: process('NODE_ENV', oneOf('development', 'production', 'test'), { default: 'development', example: 'production', description: 'In production nothing is made up: a database and both secrets must be given.' }),
  host: process('HOST', text, { default: '127.0.0.1', example: '0.0.0.0', description: 'The address to listen on.' }),
  port: process('PORT', integer(0, 65_535), { default: '3000', example: '8080', description: 'The port to listen on; 0 takes a free one.' }),
  logLevel: process('LOG_LEVEL', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), { default: 'info', example: 'warn', description: 'The least severe log line that is written.' }),
  trustProxy: process('TRUST_PROXY', proxies, { default: 'false', example: '1', description: 'How many proxies stand in front, or their addresses. Without it no forwarded header is believed.' }),
  publicUrl: process('PUBLIC_URL', publicAddress, { defaultDescription: 'http://localhost:PORT; with PORT=0 just http://localhost, and the cookies of browsers need it to be set', example: 'https://auth.example.com', description: 'Where people reach the service. Its scheme decides the names of the cookies.' }),
  allowedOrigins: process('ALLOWED_ORIGINS', list(origin), { defaultDescription: 'none but PUBLIC_URL', example: 'https://app.example.com,https://shop.example.com', description: 'Origins whose pages may call the service with cookies, exactly as browsers send them.' }),

  databaseUrl: data('DATABASE_URL', url('postgresql', 'postgres'), { defaultDescription: 'an embedded Postgres in DATA_DIR', example: 'postgresql://countersign:password@localhost:5432/countersign', description: 'The PostgreSQL database (15 or later).' }),
  databasePoolSize: data('DATABASE_POOL_SIZE', integer(1, 1000), { default: '10', example: '20', description: 'The most connections this process opens to the database.' }),
  databaseAcquireTimeout: data('DATABASE_ACQUIRE_TIMEOUT', duration({ max: '30s' }), { default: '2s', example: '5s', description: 'How long a request waits for a connection.' }),
  databaseStatementTimeout: data('DATABASE_STATEMENT_TIMEOUT', duration({ max: '30s' }), { default: '3s', example: '5s', description: 'How long one statement may run.' }),
  redisUrl: data('REDIS_URL', url('redis', 'rediss'), { defaultDescription: 'none: stateful sessions are read from Postgres', example: 'redis://localhost:6379', description: 'A Redis that holds copies of stateful sessions. Losing it loses nothing.' }),
  dataDir: data('DATA_DIR', text, { default: '.countersign', example: '/var/lib/countersign', description: 'Where the embedded database and the secrets of a development machine are kept.' }),
  auditRetention: data('AUDIT_RETENTION', duration(), { default: '365d', example: '90d', description: 'How long events of the audit trail are kept.' }),
  allowEmbeddedDatabase: data('ALLOW_EMBEDDED_DATABASE', flag, { default: 'false', example: 'true', description: 'Lets production run on the embedded database: one process, no replica.' }),

  secrets: keys('COUNTERSIGN_SECRET', ring, { defaultDescription: 'made at first start (never in production)', example: '<the output of: countersign secret>', description: 'The secret that never leaves the service. Several, separated by commas, are a ring: the first signs, all verify.' }),
  jwtSecrets: keys('JWT_SECRET', ring, { defaultDescription: 'made at first start (never in production)', example: '<the output of: countersign secret>', description: 'The HS256 key of access tokens, shared with services that verify them. A ring as well. Not needed where JWT_PRIVATE_KEY signs.' }),
  algorithm: keys('JWT_ALGORITHM', oneOf('HS256', 'EdDSA', 'ES256', 'RS256'), { default: 'HS256', example: 'EdDSA', description: 'What access tokens are signed with: the shared JWT_SECRET (HS256), or JWT_PRIVATE_KEY, whose public half is served as a JWKS.' }),
  privateKeys: keys('JWT_PRIVATE_KEY', privateKeyRing, { defaultDescription: 'none', example: '<the output of: openssl genpkey -algorithm ed25519>', description: 'The private key in PEM (PKCS#8; line ends may be written as \\n). Several, one after the other, are a ring: the first signs, all verify and are served.' }),
  allowGeneratedSecrets: keys('ALLOW_GENERATED_SECRETS', flag, { default: 'false', example: 'true', description: 'Lets production use secrets made by the service and kept in DATA_DIR.' }),
  issuer: keys('JWT_ISSUER', text, { defaultDescription: 'PUBLIC_URL', example: 'https://auth.example.com', description: 'The issuer (iss) of access tokens.' }),
  audience: keys('JWT_AUDIENCE', text, { default: 'api', example: 'shop-api', description: 'The audience (aud) of access tokens.' }),
  accessTokenTtl: keys('ACCESS_TOKEN_TTL', duration({ max: '1h' }), { default: '10m', example: '5m', description: 'How long an access token lives; at most 1h, for revocations are kept no longer.' }),

  refreshTtl: sessions('REFRESH_TTL', duration(), { default: '90d', example: '30d', description: 'How long a session with refresh tokens lasts at most.' }),
  refreshIdleTtl: sessions('REFRESH_IDLE_TTL', duration(), { default: '30d', example: '14d', description: 'How long such a session lasts unused.' }),
  sessionTtl: sessions('SESSION_TTL', duration(), { default: '30d', example: '7d', description: 'How long a stateful session lasts at most.' }),
  sessionIdleTtl: sessions('SESSION_IDLE_TTL', duration(), { default: '7d', example: '1d', description: 'How long a stateful session lasts unused.' }),
  maxStaleness: sessions('REVOCATION_MAX_STALENESS', duration({ max: '1h' }), { default: '30s', example: '10s', description: 'How long tokens are accepted while the ledger of revocations cannot be read; then they are answered 503.' }),
  cookieDomain: sessions('COOKIE_DOMAIN', hostname, { defaultDescription: 'none: the cookie is for this host alone', example: 'example.com', description: 'Shares the access cookie, and no other, with the subdomains of a domain.' }),
  cookieSameSite: sessions('COOKIE_SAMESITE', oneOf('lax', 'strict'), { default: 'lax', example: 'strict', description: 'The SameSite attribute of the cookies.' }),

  passwordMinLength: passwords('PASSWORD_MIN_LENGTH', integer(8, 64), { default: '8', example: '15', description: 'The fewest characters of a password. NIST asks for 15 where a password is the only factor.' }),
  argon2MemoryKib: passwords('ARGON2_MEMORY_KIB', integer(7168, 1_048_576), { default: '19456', example: '65536', description: 'Memory of one argon2id hash, in KiB.' }),
  argon2Iterations: passwords('ARGON2_ITERATIONS', integer(1, 20), { default: '2', example: '3', description: 'Passes of one argon2id hash.' }),
  argon2Parallelism: passwords('ARGON2_PARALLELISM', integer(1, 16), { default: '1', example: '2', description: 'Lanes of one argon2id hash.' }),
  hashConcurrency: passwords('HASH_CONCURRENCY', integer(1, 128), { defaultDescription: 'the lesser of the number of cores and UV_THREADPOOL_SIZE, less one; at least 1', example: '2', description: 'How many password hashes run at once; at most UV_THREADPOOL_SIZE, on whose threads they run.' }),
  threadPoolSize: passwords('UV_THREADPOOL_SIZE', integer(1, 1024), { default: '4', example: '8', description: 'The threads that Node has for hashes, files and host names. Node reads it itself, from the environment of the process. On more than four cores, more of them let more hashes run.' }),
  hashQueueLimit: passwords('HASH_QUEUE_LIMIT', integer(8, 10_000), { default: '128', example: '256', description: 'How many wait for one; the rest are answered 503 at once.' }),

  ...providerSettings
} as const
