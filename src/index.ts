/**
 * The plugin, for a host application.
 *
 * @module countersign
 */
import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { createRequestSlot } from 'countersign-verifier/internal'
import { compose } from './app.ts'
import { readConfig } from './config.ts'
import type { Cookies } from './http/cookies.ts'
import { registerGuards, type CountersignGuards } from './http/imported-guards.ts'
import type { Metrics } from './http/server/metrics.ts'
import { normalisePrefix, toEnvironment, type DecoratorNames, type PluginOptions } from './plugin-options.ts'

/** `app.countersign`: the guards, whatever their decorators are called, and more. */
export interface Countersign extends CountersignGuards {
  /** The principal that a guard has authenticated; `null` if no guard ran. */
  principal (request: object): Principal | null
  /** Health checks of the service's dependencies by name: each rejects when its dependency is unavailable. */
  readonly probes: Readonly<Record<string, () => Promise<void>>>
  readonly metrics: Metrics
  readonly cookieNames: Cookies['names']
}

declare module 'fastify' {
  // Inherited, not declared: an app that declares its own `authenticate` keeps its type.
  interface FastifyInstance extends CountersignGuards {
    countersign: Countersign
  }
}

const plugin: FastifyPluginAsync<PluginOptions> = async (app, options) => {
  const names = { user: 'user', authenticate: 'authenticate', authorize: 'authorize', ...options.decorators }
  assertNamesFree(app, names)

  const users = createRequestSlot<Principal>(names.user)
  const config = readConfig(toEnvironment(options, process.env))
  const { guards, probes: dependencies, isFresh, metrics, cookies } = await compose(app, config, users, { isHosted: true, prefix: normalisePrefix(options.prefix ?? '') })

  const probes = { ...dependencies, async revocations () { if (!isFresh()) throw new Error('The ledger of revocations could not be read for too long') } }
  const { authenticate, authorize } = guards
  registerGuards(app, { authenticate, authorize })
  app.decorate(names.authenticate, authenticate)
  app.decorate(names.authorize, authorize)
  app.decorate('countersign', { authenticate, authorize, principal: users.read, probes, metrics, cookieNames: cookies.names })
}

function assertNamesFree (app: FastifyInstance, names: Required<DecoratorNames>): void {
  if (app.hasDecorator('countersign')) throw new Error('Countersign is already registered in this app')
  for (const decorator of ['authenticate', 'authorize'] as const) {
    if (app.hasDecorator(names[decorator])) {
      throw new Error(`This app already has a decorator named "${names[decorator]}": rename Countersign's with the option decorators: { ${decorator}: '…' }`)
    }
  }
}

/** Countersign as a Fastify plugin: adds its routes, and guards for the app's own routes. */
export const countersign = fp(plugin, { name: 'countersign', fastify: '^5.12.0' })

export default countersign
export { authenticate, authorize, type CountersignGuards } from './http/imported-guards.ts'
export type { Guard } from './http/guards.ts'
export type { PluginOptions as CountersignOptions } from './plugin-options.ts'
export type { Credential, Principal, Role } from 'countersign-verifier'
export { ConfigurationError } from './config.ts'
