/**
 * The plugin, for a host application.
 *
 * @module countersign
 */
import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { compose } from './app.ts'
import { readConfig } from './config.ts'
import type { Guards } from './http/guards.ts'
import { toEnvironment, type DecoratorNames, type PluginOptions } from './plugin-options.ts'
import { createRequestPrincipal } from './request-principal.ts'
import type { Service } from './service.ts'

/** The guards, as the app is decorated with them. */
export type CountersignGuards = Pick<Guards, 'authenticate' | 'authorize'>

/** What `app.countersign` offers: the guards too, whatever names the app has them under. */
export interface Countersign extends CountersignGuards {
  /** The principal that a guard found; `null` on a request that none has seen. */
  principal (request: FastifyRequest): Principal | null
  /** The dependencies of the service by name: each resolves when it answers. */
  readonly probes: Service['probes']
  readonly metrics: Service['metrics']
  readonly cookieNames: Service['cookies']['names']
}

declare module 'fastify' {
  // Inherited and not declared: an app that has typed an `authenticate` of its own keeps its type.
  interface FastifyInstance extends CountersignGuards {
    countersign: Countersign
  }
}

const plugin: FastifyPluginAsync<PluginOptions> = async (app, options) => {
  const names = { user: 'user', authenticate: 'authenticate', authorize: 'authorize', ...options.decorators }
  refuseTaken(app, names)

  const place = createRequestPrincipal(names.user)
  const config = readConfig(toEnvironment(options, process.env))
  const { guards, probes, metrics, cookies } = await compose(app, config, place, { hidden: true, ...options.prefix !== undefined && { prefix: options.prefix } })

  const { authenticate, authorize } = guards
  app.decorate(names.authenticate, authenticate)
  app.decorate(names.authorize, authorize)
  app.decorate('countersign', { authenticate, authorize, principal: place.peek, probes, metrics, cookieNames: cookies.names })
}

function refuseTaken (app: FastifyInstance, names: Required<DecoratorNames>): void {
  if (app.hasDecorator('countersign')) throw new Error('Countersign is registered in this app already')
  for (const decorator of ['authenticate', 'authorize'] as const) {
    if (app.hasDecorator(names[decorator])) {
      throw new Error(`This app has a decorator named "${names[decorator]}" already: give Countersign's another name with the option decorators: { ${decorator}: '…' }`)
    }
  }
}

/** Countersign as a Fastify plugin: adds its routes, and the guards for the app's own. */
export const countersign = fp(plugin, { name: 'countersign', fastify: '5.x' })

export default countersign
export type { PluginOptions as CountersignOptions } from './plugin-options.ts'
export type { Credential, Principal, Role } from 'countersign-verifier'
export { ConfigurationError } from './config.ts'
