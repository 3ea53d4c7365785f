import { createHash, randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import { readConfig, type Config } from '../../src/config.ts'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import type { Database, DatabaseOptions } from '../../src/database/database.ts'
import { openDatabase } from '../../src/database/open-database.ts'
import type { ProblemDocument } from '../../src/errors.ts'
import { createLogger } from '../../src/http/server/logging.ts'
import { createServer } from '../../src/server.ts'
import { databaseUrl, testDatabase } from './database.ts'
import { openInMemory } from './in-memory.ts'
import { until } from './until.ts'

/** Environment variables, over those of an ordinary test. */
export type Settings = Readonly<Record<string, string>>

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly level: number, readonly msg: string }

/** What a request is made of. */
export interface Call {
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it stands, with the content type among `headers`. */
  text?: string
  headers?: Readonly<Record<string, string | string[]>>
  /** A Bearer token. */
  token?: string
  cookies?: Readonly<Record<string, string>>
  /** The client's address. */
  from?: string
}

/** One cookie that an answer sets. */
export interface SetCookie {
  readonly value: string
  /** The attributes after the value, as they stand, in their order. */
  readonly attributes: readonly string[]
}

/** An answer. `body` is what JSON it holds. */
export interface Answer<Body> {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Body
  readonly text: string
  readonly cookies: Readonly<Record<string, SetCookie>>
}

/** The body of an answer to a login. */
export interface LoginBody {
  user: { id: string, email: string, emailVerified: boolean, name: string | null, role: string, createdAt: string }
  accessToken: string
  refreshToken: string
  tokenType: string
  expiresIn: number
}

/** Somebody with an account, logged in. */
export interface Person extends LoginBody {
  email: string
  password: string
}

/** A statement that was stopped on its way to the database. */
export interface HeldStatement {
  /** Resolves when the statement has come. */
  readonly reached: Promise<void>
  release (): void
}

export interface TestService {
  readonly app: FastifyInstance
  readonly config: Config
  readonly database: Database
  /** Every line logged so far, oldest first. */
  readonly log: readonly LogLine[]
  /** The same, as it was written. */
  logText (): string
  /** @param target method and path: `POST /auth/login` */
  call<Body = ProblemDocument> (target: string, call?: Call): Promise<Answer<Body>>
  /** Listens on a free port of the loopback. @returns the origin */
  listen (): Promise<string>
  sql<Row> (text: string, ...values: unknown[]): Promise<Row[]>
  /** Registers somebody new. */
  person (): Promise<Person>
  /** Somebody new, with the role `admin`. */
  admin (): Promise<Person>
  logIn (person: Pick<Person, 'email' | 'password'>, call?: Call): Promise<LoginBody>
  /** The cookies that a login with `deliver: "cookie"` sets, by their names. */
  cookiesOf (person: Pick<Person, 'email' | 'password'>): Promise<Record<string, string>>
  /** Holds the next statement of a name back until it is released. */
  hold (statement: string): HeldStatement
  /** Waits for the audit events that no response waits for: the first of each kind. */
  audited (): Promise<void>
}

export const PASSWORD = 'correct horse battery'

const ORDINARY: Settings = {
  NODE_ENV: 'test',
  COUNTERSIGN_SECRET: generateSecret(),
  JWT_SECRET: generateSecret(),
  ARGON2_ITERATIONS: '1',
  HASH_QUEUE_LIMIT: '1000',
  // Most tests come from one address, and many log in often.
  RATE_LIMITS: 'off'
}

// The least that argon2 itself takes, and nothing that could be configured: hashing is not what most tests are about.
const CHEAPEST: Partial<Config> = { argon2MemoryKib: 8 }

/** Starts the whole service, on a fresh database unless `settings` name one; it stops when the test ends. */
export async function startService (t: Test, settings: Settings = {}): Promise<TestService> {
  const isFresh = !('DATA_DIR' in settings || 'DATABASE_URL' in settings)
  const { url, dataDir } = isFresh && databaseUrl !== undefined ? await testDatabase(t) : {}
  const config = {
    ...readConfig({ ...ORDINARY, ...url !== undefined && { DATABASE_URL: url }, ...dataDir !== undefined && { DATA_DIR: dataDir }, ...settings }),
    ...!('ARGON2_MEMORY_KIB' in settings) && CHEAPEST
  }
  const lines: string[] = []
  const gates = new Map<string, { arrive (): void, opened: Promise<void> }>()
  let opened: Database | undefined
  let writingAudit = 0

  async function open (options: DatabaseOptions): Promise<Database> {
    const database = opened = isFresh && options.url === undefined ? await openInMemory(t) : await openDatabase(options)
    return {
      ...database,
      async query (statement, values) {
        const gate = gates.get(statement.name)
        if (gate !== undefined) {
          gates.delete(statement.name)
          gate.arrive()
          await gate.opened
        }
        if (statement.name !== 'audit.coalesce') return database.query(statement, values)
        writingAudit++
        return database.query<never>(statement, values).finally(() => { writingAudit-- })
      }
    }
  }

  const app = await createServer(config, { logger: createLogger(config, { write: line => { lines.push(line) } }), open })
  t.teardown(() => app.close())
  await app.ready()
  if (opened === undefined) throw new Error('The service opened no database')
  const database = opened

  async function call<Body> (target: string, { json, text, headers = {}, token, cookies, from }: Call = {}): Promise<Answer<Body>> {
    const [method, url] = target.split(' ')
    const response = await app.inject({
      method: method as NonNullable<InjectOptions['method']>,
      url: url ?? '/',
      headers: {
        ...json !== undefined && { 'content-type': 'application/json' },
        ...token !== undefined && { authorization: `Bearer ${token}` },
        ...cookies !== undefined && { cookie: Object.entries(cookies).map(pair => pair.join('=')).join('; ') },
        ...headers
      },
      ...from !== undefined && { remoteAddress: from },
      ...json !== undefined && { payload: JSON.stringify(json) },
      ...text !== undefined && { payload: text }
    })
    return {
      status: response.statusCode,
      headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, value?.toString()])),
      body: (/json/.test(String(response.headers['content-type'])) && response.body !== '' ? response.json() : undefined) as Body,
      text: response.body,
      cookies: readCookies(response.headers['set-cookie'])
    }
  }

  async function logIn ({ email, password }: Pick<Person, 'email' | 'password'>, options: Call = {}): Promise<LoginBody> {
    const { status, body } = await call<LoginBody>('POST /auth/login', { ...options, json: { email, password } })
    if (status !== 200) throw new Error(`Logging in was answered ${status}`)
    return body
  }

  async function person (): Promise<Person> {
    const credentials = { email: `ada-${randomBytes(6).toString('hex')}@example.com`, password: PASSWORD }
    const { status, body } = await call<LoginBody>('POST /auth/register', { json: { ...credentials, name: 'Ada Lovelace' } })
    if (status !== 201) throw new Error(`Registering was answered ${status}`)
    return { ...credentials, ...body }
  }

  async function audited (): Promise<void> {
    await until(() => writingAudit === 0)
  }

  async function sql<Row> (text: string, ...values: unknown[]): Promise<Row[]> {
    if (text.includes('audit_events')) await audited()
    const name = `test ${createHash('sha256').update(text).digest('hex').slice(0, 20)}`
    return database.query<Row>({ name, text }, values)
  }

  return {
    app,
    config,
    database,
    call,
    logIn,
    person,
    sql,
    get log () { return lines.map(line => JSON.parse(line) as LogLine) },
    logText: () => lines.join(''),
    audited,

    async listen () {
      await app.listen({ host: '127.0.0.1', port: 0 })
      return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
    },

    async admin () {
      const someone = await person()
      await sql("UPDATE users SET role = 'admin' WHERE id = $1::uuid", someone.user.id)
      return { ...someone, ...await logIn(someone) }
    },

    async cookiesOf ({ email, password }) {
      const { cookies } = await call('POST /auth/login', { json: { email, password, deliver: 'cookie' }, headers: { 'sec-fetch-site': 'same-origin' } })
      return Object.fromEntries(Object.entries(cookies).map(([name, { value }]) => [name, value]))
    },

    hold (statement) {
      const arrival = deferred()
      const opening = deferred()
      gates.set(statement, { arrive: arrival.resolve, opened: opening.promise })
      return { reached: arrival.promise, release: opening.resolve }
    }
  }
}

function readCookies (header: string | string[] | undefined): Record<string, SetCookie> {
  return Object.fromEntries([header ?? []].flat().map(line => {
    const [pair = '', ...attributes] = line.split('; ')
    const name = pair.slice(0, pair.indexOf('='))
    return [name, { value: pair.slice(name.length + 1), attributes }]
  }))
}

function deferred (): { promise: Promise<void>, resolve (): void } {
  let settle = () => {}
  const promise = new Promise<void>(resolve => { settle = resolve })
  return { promise, resolve: () => settle() }
}
