import fp from 'fastify-plugin'
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { Principal } from 'countersign-verifier'
import { compose, type Service } from './app.ts'
import { readConfig } from './config.ts'
import { toEnvironment, type PluginOptions } from './plugin-options.ts'
import { createPrincipalPlace } from './principal-place.ts'
import type { Guards } from './http/authenticate.ts'

/** What `app.countersign` offers. */
export interface Countersign {
  /** The principal that `authenticate` or `authorize` found; `null` on a request that neither has seen. */
  principal (request: FastifyRequest): Principal | null
  /** The dependencies of the service by name: each resolves when it answers. */
  readonly probes: Service['probes']
  readonly metrics: Service['metrics']
  readonly cookieNames: Service['cookies']['names']
}

declare module 'fastify' {
  interface FastifyInstance {
    authenticate: Guards['authenticate']
    authorize: Guards['authorize']
    countersign: Countersign
  }
}

const plugin: FastifyPluginAsync<PluginOptions> = async (app, options) => {
  const names = { user: 'user', authenticate: 'authenticate', authorize: 'authorize', ...options.decorators }
  for (const name of ['authenticate', 'authorize'] as const) refuseTaken(app, name, names[name])

  const place = createPrincipalPlace(names.user)
  const config = readConfig({ ...process.env, ...toEnvironment(options) })
  const { guards, probes, metrics, cookies } = await compose(app, config, place)

  app.decorate(names.authenticate, guards.authenticate)
  app.decorate(names.authorize, guards.authorize)
  app.decorate('countersign', { principal: place.peek, probes, metrics, cookieNames: cookies.names })
}

function refuseTaken (app: FastifyInstance, decorator: string, name: string): void {
  if (app.hasDecorator(name)) {
    throw new Error(`This app has a decorator named "${name}" already: give Countersign's another name with the option decorators: { ${decorator}: '…' }`)
  }
}

/** Countersign as a Fastify plugin: adds its routes, and the guards for the app's own. */
export const countersign = fp(plugin, { name: 'countersign', fastify: '5.x' })

export default countersign
export type { PluginOptions as CountersignOptions } from './plugin-options.ts'
export type { Credential, Principal, Role } from 'countersign-verifier'
export { ConfigurationError } from './config.ts'
