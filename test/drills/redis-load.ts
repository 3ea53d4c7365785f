import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { databaseUrl, testDatabase } from '../support/database.ts'
import { PASSWORD, startService, type LoginBody, type TestService } from '../support/service.ts'
import { until } from '../support/until.ts'

/** How often each answer was given, and what the slowest took, in ms. */
export interface Answers { counts: Record<string, number>, slowest: number }

/** Two instances that share a database and a Redis, with limits that are counted and not reached. */
export async function startTwo (t: Test, redisUrl: string): Promise<[TestService, TestService]> {
  const { url = databaseUrl ?? '', dataDir } = await testDatabase(t)
  const settings = { DATABASE_URL: url, DATA_DIR: dataDir, REDIS_URL: redisUrl, RATE_LIMITS: 'login=10000/1m,network=10000/1m,success=10000/1m,refresh=10000/1m' }
  const one = await startService(t, settings)
  const secrets = { COUNTERSIGN_SECRET: one.config.secrets.join(), JWT_SECRET: one.config.jwtSecrets.join() }
  const both: [TestService, TestService] = [one, await startService(t, { ...settings, ...secrets })]
  await until(() => isUp(both))
  return both
}

export const checkOf = async (service: TestService): Promise<string | undefined> => (await service.call<{ checks: { redis?: string } }>('GET /health/ready')).body.checks.redis

/** Whether both say that Redis answers. */
export async function isUp (services: readonly TestService[]): Promise<boolean> {
  for (const service of services) if (await checkOf(service) !== 'ok') return false
  return true
}

/**
 * Logs in at one instance, is recognised and refreshed at the other, logs out and is refused, once and again until told to
 * end. A session that is refused too early, or accepted after its logout, counts under a name of its own.
 */
export async function goOn ([one, other]: [TestService, TestService], signal: AbortSignal): Promise<Answers> {
  const { email } = await one.person()
  const answers: Answers = { counts: {}, slowest: 0 }
  async function ask<Body> (what: string, service: TestService, ...call: Parameters<TestService['call']>) {
    const began = performance.now()
    const answer = await service.call<Body>(...call)
    answers.slowest = Math.max(answers.slowest, performance.now() - began)
    const outcome = `${what} ${answer.status}`
    answers.counts[outcome] = (answers.counts[outcome] ?? 0) + 1
    return answer
  }
  const browser = { 'x-countersign': '1' }
  do {
    const { cookies } = await ask('login', one, 'POST /auth/login', { json: { email, password: PASSWORD, deliver: 'session' }, headers: browser })
    const session = cookies.session?.value ?? ''
    await ask('verify', other, 'GET /auth/verify', { cookies: { session } })
    const { body } = await ask<LoginBody>('login', other, 'POST /auth/login', { json: { email, password: PASSWORD } })
    await ask('refresh', one, 'POST /auth/refresh', { json: { refreshToken: body.refreshToken } })
    await ask('logout', one, 'POST /auth/logout', { cookies: { session }, headers: browser })
    await ask('after logout', one, 'GET /auth/verify', { cookies: { session } })
    await pause(20)
  } while (!signal.aborted)
  return answers
}

/** What all answers are, whatever happens to Redis. */
export const ALL_GOOD = ['after logout 401', 'login 200', 'logout 204', 'refresh 200', 'verify 200']
