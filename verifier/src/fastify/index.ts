/**
 * The verifier as a Fastify plugin.
 *
 * @module countersign-verifier/fastify
 */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { UserGuards } from '../guard/guard.ts'
import { readGuardOptions, type GuardOptions } from '../guard/guard-options.ts'
import { createRequestSlots, createVerifierGuards, type PolicyGuards } from '../guard/verifier-guards.ts'
import type { ClientPrincipal, Principal, Role, Verifier } from '../types.ts'
import { passOn, respond, type Guard } from './guard.ts'
import { registerGuards } from './imported-guards.ts'

/** The guards that the app is decorated with. */
export type VerifierGuards<R extends string = Role> = UserGuards<Guard, R>

/**
 * `app.verifier`: all guards, whatever their decorators are called, and the verifier behind them. For roles of your own,
 * `app.getDecorator<FastifyVerifier<'buyer' | 'seller'>>('verifier')`.
 */
export interface FastifyVerifier<R extends string = Role> extends PolicyGuards<Guard, R>, Pick<Verifier<R>, 'ready' | 'staleness' | 'events' | 'counters'> {
  /** The principal that a guard has authenticated; `null` if no guard ran. */
  principal (request: object): Principal<R> | null
  /** The service that `authorizeClient` has authenticated; `null` if it did not run. */
  client (request: object): ClientPrincipal | null
}

/** Other names for the decorators of the plugin. */
export interface DecoratorNames {
  readonly user?: string
  readonly authenticate?: string
  readonly authorize?: string
  readonly verifier?: string
}

/** The options of the plugin. */
export type VerifierPluginOptions = GuardOptions<string> & { readonly decorators?: DecoratorNames }

declare module 'fastify' {
  // Inherited, not declared: an app that declares its own `authenticate` keeps its type.
  interface FastifyInstance extends VerifierGuards {
    verifier: FastifyVerifier
  }
}

const plugin: FastifyPluginAsync<VerifierPluginOptions> = async (app, { decorators, ...options }) => {
  const names = { user: 'user', authenticate: 'authenticate', authorize: 'authorize', verifier: 'verifier', ...decorators }
  assertNamesFree(app, names)

  const { verifier, isOwn, cookie, passRefusals } = readGuardOptions(withoutFastifyOptions(options))
  if (isOwn) {
    app.addHook('onClose', async () => verifier.close())
    if (hasLogger(app)) verifier.events.on('warning', warning => app.log.warn({ err: warning, code: warning.code }, warning.message))
  }

  const slots = createRequestSlots<string>(names.user)
  const guardsFor = createVerifierGuards({ verifier, cookie, slots, refuse: passRefusals ? passOn : respond })
  const guards = guardsFor({})

  registerGuards(app, guards)
  app.decorate(names.authenticate, guards.authenticate)
  app.decorate(names.authorize, guards.authorize)
  app.decorate(names.verifier, {
    ...guards,
    with: guardsFor,
    principal: slots.users.read,
    client: slots.clients.read,
    ready: verifier.ready,
    staleness: verifier.staleness,
    events: verifier.events,
    counters: verifier.counters
  } satisfies FastifyVerifier<string>)
}

// Fastify's placeholder for no logger has one function under every name, and no level.
function hasLogger ({ log }: FastifyInstance): boolean {
  return log.warn !== log.error || 'level' in log
}

/** Drops the options that Fastify itself reads. */
function withoutFastifyOptions ({ prefix: _prefix, logLevel: _logLevel, logSerializers: _logSerializers, ...options }: GuardOptions<string> & { prefix?: unknown, logLevel?: unknown, logSerializers?: unknown }): GuardOptions<string> {
  return options
}

function assertNamesFree (app: FastifyInstance, names: Required<DecoratorNames>): void {
  for (const decorator of ['authenticate', 'authorize', 'verifier'] as const) {
    if (app.hasDecorator(names[decorator])) {
      throw new Error(`This app already has a decorator named "${names[decorator]}": rename the verifier's with the option decorators: { ${decorator}: '…' }`)
    }
  }
}

/** The verifier as a Fastify plugin: adds guards for the app's routes, and nothing else. */
export const countersignVerifier: FastifyPluginAsync<VerifierPluginOptions> = Object.assign(plugin, {
  // As fastify-plugin does: the guards are for the app that registers this, not for a child of it.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'countersign-verifier',
  [Symbol.for('plugin-meta')]: { name: 'countersign-verifier', fastify: '5.x' }
})

export default countersignVerifier
export { authenticate, authorize, authorizeClient } from './imported-guards.ts'
export type { Guard } from './guard.ts'
export { AccessProblem, type AccessProblemCode } from '../guard/problem.ts'
export type { Requirements } from '../guard/guard.ts'
export type { Guards, PolicyGuards } from '../guard/verifier-guards.ts'
export type { GuardOptions } from '../guard/guard-options.ts'
