import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { countersign, type CountersignOptions } from '../../src/index.ts'
import { testDatabase } from '../support/database.ts'

export const ADA = { email: 'ada@example.com', password: 'correct horse battery' }

/** What a host gives the plugin in a test: a fresh database, secrets, cheap hashes. */
export async function pluginOptions (t: Test, more: CountersignOptions = {}): Promise<CountersignOptions> {
  const { url, dataDir } = await testDatabase(t)
  return {
    nodeEnv: 'test',
    dataDir,
    ...url !== undefined && { databaseUrl: url },
    secrets: generateSecret(),
    jwtSecrets: generateSecret(),
    argon2MemoryKib: 7168,
    argon2Iterations: 1,
    rateLimits: 'off',
    ...more
  }
}

/** A host app without anything, closed when the test ends. */
export function bareHost (t: Test, options: FastifyServerOptions = {}): FastifyInstance {
  const app: FastifyInstance = Fastify({ pluginTimeout: 60_000, ...options })
  t.teardown(() => app.close())
  return app
}

/** A host app with the plugin and, after it, what `build` adds; ready. */
export async function hostWithPlugin (t: Test, { build, ...options }: CountersignOptions & { build?: (app: FastifyInstance) => unknown } = {}): Promise<FastifyInstance> {
  const app = bareHost(t)
  await app.register(countersign, await pluginOptions(t, options))
  await build?.(app)
  await app.ready()
  return app
}

/** Registers Ada. @returns her access token */
export async function registerAda (app: FastifyInstance, prefix = ''): Promise<string> {
  const response = await app.inject({ method: 'POST', url: `${prefix}/auth/register`, payload: ADA })
  if (response.statusCode !== 201) throw new Error(`Registering was answered ${response.statusCode}: ${response.body}`)
  return response.json<{ accessToken: string }>().accessToken
}

export function bearer (token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}
