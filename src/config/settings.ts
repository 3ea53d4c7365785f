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
  nodeEnv: process('NODE_ENV', oneOf('development', 'production', 'test'), { default: 'development', example: 'production', description: 'In production a database and both secrets must be configured; nothing is generated.' }),
  host: process('HOST', text, { default: '127.0.0.1', example: '0.0.0.0', description: 'The address to listen on.' }),
  port: process('PORT', integer(0, 65_535), { default: '3000', example: '8080', description: 'The port to listen on; 0 for any free one.' }),
  logLevel: process('LOG_LEVEL', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), { default: 'info', example: 'warn', description: 'The lowest level that is logged.' }),
  trustProxy: process('TRUST_PROXY', proxies, { default: 'false', example: '1', description: 'How many reverse proxies are in front, or their addresses. Without it forwarded headers are ignored.' }),
  publicUrl: process('PUBLIC_URL', publicAddress, { defaultDescription: 'http://localhost:PORT; with PORT=0 http://localhost, where browser cookies need it to be set', example: 'https://auth.example.com', description: 'The public URL of the service. Its scheme decides the names of the cookies.' }),
  allowedOrigins: process('ALLOWED_ORIGINS', list(origin), { defaultDescription: 'PUBLIC_URL only', example: 'https://app.example.com,https://shop.example.com', description: 'Other origins whose pages may call the service with cookies (CORS and CSRF protection), exactly as browsers send them.' }),

  databaseUrl: data('DATABASE_URL', url('postgresql', 'postgres'), { defaultDescription: 'an embedded Postgres in DATA_DIR', example: 'postgresql://countersign:password@localhost:5432/countersign', description: 'The PostgreSQL database (15 or later).' }),
  databasePoolSize: data('DATABASE_POOL_SIZE', integer(1, 1000), { default: '10', example: '20', description: 'The maximum number of connections of this process to the database.' }),
  databaseAcquireTimeout: data('DATABASE_ACQUIRE_TIMEOUT', duration({ max: '30s' }), { default: '2s', example: '5s', description: 'How long a request waits for a connection.' }),
  databaseStatementTimeout: data('DATABASE_STATEMENT_TIMEOUT', duration({ max: '30s' }), { default: '3s', example: '5s', description: 'How long one statement may run.' }),
  redisUrl: data('REDIS_URL', url('redis', 'rediss'), { defaultDescription: 'none: stateful sessions are read from Postgres', example: 'redis://localhost:6379', description: 'A Redis that caches stateful sessions. Losing it loses no data.' }),
  dataDir: data('DATA_DIR', text, { default: '.countersign', example: '/var/lib/countersign', description: 'The directory of the embedded database and of generated secrets.' }),
  auditRetention: data('AUDIT_RETENTION', duration(), { default: '365d', example: '90d', description: 'How long the audit trail keeps its events.' }),
  allowEmbeddedDatabase: data('ALLOW_EMBEDDED_DATABASE', flag, { default: 'false', example: 'true', description: 'Allows the embedded database in production: one process, no replica.' }),

  secrets: keys('COUNTERSIGN_SECRET', ring, { defaultDescription: 'generated at first start (never in production)', example: '<the output of: countersign secret>', description: 'The secret that never leaves the service. Several, separated by commas, form a ring: the first signs, all verify.' }),
  jwtSecrets: keys('JWT_SECRET', ring, { defaultDescription: 'generated at first start (never in production)', example: '<the output of: countersign secret>', description: 'The HS256 key of access tokens, shared with the services that verify them. A ring as well. Not needed where JWT_PRIVATE_KEY signs.' }),
  algorithm: keys('JWT_ALGORITHM', oneOf('HS256', 'EdDSA', 'ES256', 'RS256'), { default: 'HS256', example: 'EdDSA', description: 'The algorithm of access tokens: HS256 signs with the shared JWT_SECRET, the others with JWT_PRIVATE_KEY, whose public key is served as a JWKS.' }),
  privateKeys: keys('JWT_PRIVATE_KEY', privateKeyRing, { defaultDescription: 'none', example: '<the output of: openssl genpkey -algorithm ed25519>', description: 'The private key in PEM (PKCS#8; line ends may be written as \\n). Several, one after the other, form a ring: the first signs, all verify and are served.' }),
  allowGeneratedSecrets: keys('ALLOW_GENERATED_SECRETS', flag, { default: 'false', example: 'true', description: 'Allows generated secrets, stored in DATA_DIR, in production.' }),
  issuer: keys('JWT_ISSUER', text, { defaultDescription: 'PUBLIC_URL', example: 'https://auth.example.com', description: 'The issuer (iss) of access tokens.' }),
  audience: keys('JWT_AUDIENCE', text, { default: 'api', example: 'shop-api', description: 'The audience (aud) of access tokens.' }),
  accessTokenTtl: keys('ACCESS_TOKEN_TTL', duration({ max: '1h' }), { default: '10m', example: '5m', description: 'The lifetime of an access token; at most 1h, because revocations are kept no longer.' }),

  refreshTtl: sessions('REFRESH_TTL', duration(), { default: '90d', example: '30d', description: 'The maximum lifetime of a session with refresh tokens.' }),
  refreshIdleTtl: sessions('REFRESH_IDLE_TTL', duration(), { default: '30d', example: '14d', description: 'How long a session with refresh tokens lasts without use.' }),
  sessionTtl: sessions('SESSION_TTL', duration(), { default: '30d', example: '7d', description: 'The maximum lifetime of a stateful session.' }),
  sessionIdleTtl: sessions('SESSION_IDLE_TTL', duration(), { default: '7d', example: '1d', description: 'How long a stateful session lasts without use.' }),
  maxStaleness: sessions('REVOCATION_MAX_STALENESS', duration({ max: '1h' }), { default: '30s', example: '10s', description: 'How long tokens are accepted while the ledger of revocations cannot be read. After that the answer is 503.' }),
  cookieDomain: sessions('COOKIE_DOMAIN', hostname, { defaultDescription: 'none: the cookie is for this host only', example: 'example.com', description: 'Shares the access cookie, and no other, with all subdomains of a domain.' }),
  cookieSameSite: sessions('COOKIE_SAMESITE', oneOf('lax', 'strict'), { default: 'lax', example: 'strict', description: 'The SameSite attribute of the cookies.' }),

  passwordMinLength: passwords('PASSWORD_MIN_LENGTH', integer(8, 64), { default: '8', example: '15', description: 'The minimum length of a password, in characters. NIST requires 15 where a password is the only factor.' }),
  argon2MemoryKib: passwords('ARGON2_MEMORY_KIB', integer(7168, 1_048_576), { default: '19456', example: '65536', description: 'The memory of one argon2id hash, in KiB.' }),
  argon2Iterations: passwords('ARGON2_ITERATIONS', integer(1, 20), { default: '2', example: '3', description: 'The passes of one argon2id hash.' }),
  argon2Parallelism: passwords('ARGON2_PARALLELISM', integer(1, 16), { default: '1', example: '2', description: 'The lanes of one argon2id hash.' }),
  hashConcurrency: passwords('HASH_CONCURRENCY', integer(1, 128), { defaultDescription: 'the number of cores or UV_THREADPOOL_SIZE, whichever is less, minus one; at least 1', example: '2', description: 'How many password hashes run at once; at most UV_THREADPOOL_SIZE, as they run on those threads.' }),
  threadPoolSize: passwords('UV_THREADPOOL_SIZE', integer(1, 1024), { default: '4', example: '8', description: 'The size of Node\'s thread pool, for hashes, files and DNS. Node reads it from the environment of the process. Raise it on more than four cores to run more hashes.' }),
  hashQueueLimit: passwords('HASH_QUEUE_LIMIT', integer(8, 10_000), { default: '128', example: '256', description: 'How many password hashes may wait. Beyond that the answer is 503 at once.' }),

  ...providerSettings
} as const
