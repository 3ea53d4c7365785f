import { privateKeyRing } from './private-keys.ts'
import { inGroup } from './define-setting.ts'
import { mailSettings } from './mail-settings.ts'
import { providerSettings } from './provider-settings-table.ts'
import { access, databaseUrl, delay, duration, flag, hostname, integer, list, oneOf, origin, providerUrl, proxies, publicAddress, redisUrl, ring, text } from './parsers.ts'
import { DEFAULT_RATE_LIMITS, rateLimits } from './rate-limits.ts'

const process = inGroup('The process')
const data = inGroup('Data')
const keys = inGroup('Secrets and tokens')
const sessions = inGroup('Sessions and cookies')
const accounts = inGroup('Accounts')
const passwords = inGroup('Passwords')
const limits = inGroup('Limits')

/** Every setting of the service, by its name in `Config`. */
export const settings = {
  nodeEnv: process('NODE_ENV', oneOf('development', 'production', 'test'), { default: 'development', example: 'production', description: 'In production a database and both secrets must be configured; nothing is generated.' }),
  host: process('HOST', text, { default: '127.0.0.1', example: '0.0.0.0', description: 'The address to listen on.' }),
  port: process('PORT', integer(0, 65_535), { default: '3000', example: '8080', description: 'The port to listen on; 0 for any free one.' }),
  shutdownDelay: process('SHUTDOWN_DELAY', delay({ max: '10m' }), { default: '0', example: '5s', description: 'How long the service serves on after SIGTERM, while it is no longer ready: at least as long as whatever routes requests takes to notice, and keeps unused connections.' }),
  logLevel: process('LOG_LEVEL', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), { default: 'info', example: 'warn', description: 'The lowest level that is logged.' }),
  trustProxy: process('TRUST_PROXY', proxies, { default: 'false', example: '1', description: 'How many reverse proxies are in front, or their addresses. Without it forwarded headers are ignored.' }),
  publicUrl: process('PUBLIC_URL', publicAddress, { defaultDescription: 'http://localhost:PORT; with PORT=0 http://localhost, where browser cookies need it to be set', example: 'https://auth.example.com', description: 'The public URL of the service. Its scheme decides the names of the cookies.' }),
  allowedOrigins: process('ALLOWED_ORIGINS', list(origin), { defaultDescription: 'PUBLIC_URL only', example: 'https://app.example.com,https://shop.example.com', description: 'Other origins whose pages may call the service with cookies (CORS and CSRF protection), exactly as browsers send them.' }),
  metrics: process('METRICS', access, { default: 'open', example: '<the output of: countersign secret>', description: 'Who may read /metrics: everybody who can connect (open), nobody (off), or whoever sends this token as Authorization: Bearer.' }),
  apiDocs: process('API_DOCS', oneOf('open', 'off'), { default: 'open', example: 'off', description: 'Whether /docs and /openapi.json are served.' }),

  databaseUrl: data('DATABASE_URL', databaseUrl, { defaultDescription: 'an embedded Postgres in DATA_DIR', example: 'postgresql://countersign:password@localhost:5432/countersign', description: 'The PostgreSQL database (15 or later), at one address: where there is a standby, at one that follows the primary.' }),
  databaseDirectUrl: data('DATABASE_DIRECT_URL', databaseUrl, { defaultDescription: 'none: DATABASE_URL leads to the database itself, or to a pooler in session mode', example: 'postgresql://countersign:password@10.0.0.5:5432/countersign', description: 'The address of the database itself, where DATABASE_URL leads to a pooler in transaction mode (PgBouncer 1.21 or later): for migrations and LISTEN. Each statement then runs in a transaction of its own.' }),
  databasePoolSize: data('DATABASE_POOL_SIZE', integer(1, 1000), { default: '10', example: '20', description: 'The maximum number of connections of this process that requests use, two fifths of them for transactions and for waits for locks. Beside them it holds up to three: one that listens, two for the ledger of revocations and the health check.' }),
  databaseAcquireTimeout: data('DATABASE_ACQUIRE_TIMEOUT', duration({ max: '30s' }), { default: '2s', example: '5s', description: 'How long a request waits for a connection.' }),
  databaseStatementTimeout: data('DATABASE_STATEMENT_TIMEOUT', duration({ max: '30s' }), { default: '3s', example: '5s', description: 'How long one statement may run; it waits a third of that for a lock.' }),
  redisUrl: data('REDIS_URL', redisUrl, { defaultDescription: 'none: stateful sessions are read from Postgres', example: 'redis://localhost:6379', description: 'A Redis that caches stateful sessions and counts attempts. Losing it loses no data. Of a Redis Cluster one node, or several with commas between them: redis://a:6379,b:6379; with Sentinel the sentinels and what they call the primary: redis+sentinel://a:26379,b:26379/primary.' }),
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

  accountDeletionGrace: accounts('ACCOUNT_DELETION_GRACE', duration({ max: '365d' }), { defaultDescription: 'none: an account is deleted at once', example: '30d', description: 'How long the owner of an account can take its deletion back, by a link in a mail. Until then nobody can use the account.' }),

  passwordMinLength: passwords('PASSWORD_MIN_LENGTH', integer(8, 64), { default: '8', example: '15', description: 'The minimum length of a password, in characters. NIST requires 15 where a password is the only factor.' }),
  breachedPasswordsUrl: passwords('BREACHED_PASSWORDS_URL', providerUrl, { defaultDescription: 'none: only the bundled list of common passwords is asked', example: 'https://api.pwnedpasswords.com/range', description: 'A service that knows breached passwords by the first five digits of their SHA-1. New passwords are refused if it knows them, and accepted if it does not answer within a second.' }),
  argon2MemoryKib: passwords('ARGON2_MEMORY_KIB', integer(7168, 1_048_576), { default: '19456', example: '65536', description: 'The memory of one argon2id hash, in KiB.' }),
  argon2Iterations: passwords('ARGON2_ITERATIONS', integer(1, 20), { default: '2', example: '3', description: 'The passes of one argon2id hash.' }),
  argon2Parallelism: passwords('ARGON2_PARALLELISM', integer(1, 16), { default: '1', example: '2', description: 'The lanes of one argon2id hash.' }),
  hashConcurrency: passwords('HASH_CONCURRENCY', integer(1, 128), { defaultDescription: 'the number of cores or UV_THREADPOOL_SIZE, whichever is less, minus one; at least 1', example: '2', description: 'How many password hashes run at once; at most UV_THREADPOOL_SIZE, as they run on those threads.' }),
  threadPoolSize: passwords('UV_THREADPOOL_SIZE', integer(1, 1024), { default: '4', example: '8', description: 'The size of Node\'s thread pool, for hashes, files and DNS. Node reads it from the environment of the process. Raise it on more than four cores to run more hashes.' }),
  hashQueueLimit: passwords('HASH_QUEUE_LIMIT', integer(8, 10_000), { default: '128', example: '256', description: 'How many password hashes may wait. Beyond that the answer is 503 at once.' }),

  rateLimits: limits('RATE_LIMITS', rateLimits, { default: DEFAULT_RATE_LIMITS, example: 'login=10/1m+40/1h,provider=off', description: 'How often something may be attempted: the limits that differ from the default, or off for none at all, which is for load tests. docs/limits.md says what each counts.' }),

  ...mailSettings,

  ...providerSettings
} as const
