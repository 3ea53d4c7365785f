import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import type { ProblemDocument } from '../../src/errors.ts'
import { testDatabase } from './database.ts'
import { freePort } from './free-port.ts'
import { NODE_FLAGS } from './node-flags.ts'
import { PASSWORD, type Answer, type Call, type LoginBody, type Person, type Settings } from './service.ts'

/** A process of the service. */
export interface Instance {
  readonly origin: string
  /** Asks over HTTP. @param target method and path: `POST /auth/login` */
  call<Body = ProblemDocument> (target: string, call?: Call): Promise<Answer<Body>>
  /** Registers somebody new. */
  person (): Promise<Person>
  logIn (person: Pick<Person, 'email' | 'password'>): Promise<LoginBody>
  /** Everything it wrote, both streams. */
  output (): string
  /** Kills it, as a crash would. */
  kill (): Promise<void>
  /** Tells it to stop, and waits until it has. @returns its exit code */
  stop (): Promise<number | null>
  /** Starts it again, on the same port. */
  restart (): Promise<void>
}

type OneForEach<Each extends Settings[]> = { [Index in keyof Each]: Instance }

const BUNDLE = fileURLToPath(new URL('../../../dist/bin/main.js', import.meta.url))
const MODULES = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const START_LIMIT = 30_000

const COMMON: Settings = {
  NODE_ENV: 'production',
  LOG_LEVEL: 'warn',
  COUNTERSIGN_SECRET: generateSecret(),
  JWT_SECRET: generateSecret(),
  JWT_ISSUER: 'https://auth.example.com',
  PUBLIC_URL: 'https://auth.example.com',
  RATE_LIMITS: 'off',
  ARGON2_MEMORY_KIB: '7168',
  ARGON2_ITERATIONS: '1',
  HASH_CONCURRENCY: '2',
  HASH_QUEUE_LIMIT: '1000'
}

/**
 * Starts a process for each of the settings, all with the same secrets and, unless the settings name another, on one
 * fresh database; they are gone when the test ends.
 */
export async function startInstances<Each extends Settings[]> (t: Test, ...each: Each): Promise<{ instances: OneForEach<Each>, databaseUrl: string }> {
  const { url = '', dataDir } = await testDatabase(t)
  const instances = await Promise.all(each.map(settings => startInstance(t, { DATABASE_URL: url, DATA_DIR: dataDir, ...settings })))
  return { instances: instances as OneForEach<Each>, databaseUrl: url }
}

async function startInstance (t: Test, settings: Settings): Promise<Instance> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  let child: ChildProcess
  let text = ''

  async function start (): Promise<void> {
    // What is loaded beforehand reaches into modules, which the bundle has joined.
    const main = settings.NODE_OPTIONS === undefined ? BUNDLE : MODULES
    child = spawn(process.execPath, [...NODE_FLAGS, main, 'serve'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, ...COMMON, PORT: String(port), ...settings }
    })
    const keep = (part: Buffer) => { text += part.toString() }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    const limit = Date.now() + START_LIMIT
    while (Date.now() < limit && child.exitCode === null) {
      const ready = await fetch(`${origin}/health/live`).catch(() => undefined)
      if (ready?.status === 200) return
      await pause(20)
    }
    throw new Error(`An instance did not start:\n${text}`)
  }

  async function kill (): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  async function stop (): Promise<number | null> {
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = await gone as [number | null]
    return code
  }

  t.teardown(kill)
  await start()
  return { origin, ...callsTo(origin), output: () => text, kill, stop, restart: start }
}

/** The calls of a client to a service that listens. */
export function callsTo (origin: string): Pick<Instance, 'call' | 'person' | 'logIn'> {
  async function call<Body> (target: string, { json, text, headers = {}, token, cookies }: Call = {}): Promise<Answer<Body>> {
    const [method = 'GET', path = '/'] = target.split(' ')
    const sent = new Headers()
    for (const [name, value] of Object.entries(headers)) sent.set(name, value.toString())
    if (json !== undefined) sent.set('content-type', 'application/json')
    if (token !== undefined) sent.set('authorization', `Bearer ${token}`)
    if (cookies !== undefined) sent.set('cookie', Object.entries(cookies).map(pair => pair.join('=')).join('; '))
    const body = json === undefined ? text : JSON.stringify(json)
    const response = await fetch(origin + path, { method, headers: sent, ...body !== undefined && { body } })
    const answer = await response.text()
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: (/json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(answer) : undefined) as Body,
      text: answer,
      cookies: Object.fromEntries(response.headers.getSetCookie().map(line => {
        const [pair = '', ...attributes] = line.split('; ')
        const name = pair.slice(0, pair.indexOf('='))
        return [name, { value: pair.slice(name.length + 1), attributes }]
      }))
    }
  }

  async function logIn ({ email, password }: Pick<Person, 'email' | 'password'>): Promise<LoginBody> {
    const { status, body } = await call<LoginBody>('POST /auth/login', { json: { email, password } })
    if (status !== 200) throw new Error(`Logging in was answered ${status}`)
    return body
  }

  async function person (): Promise<Person> {
    const credentials = { email: `ada-${crypto.randomUUID()}@example.com`, password: PASSWORD }
    const { status, body } = await call<LoginBody>('POST /auth/register', { json: credentials })
    if (status !== 201) throw new Error(`Registering was answered ${status}`)
    return { ...credentials, ...body }
  }

  return { call, logIn, person }
}
