/**
 * The verifier as a Fastify plugin.
 *
 * @module countersign-verifier/fastify
 */
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { createIdentify } from '../guard/identify.ts'
import { readGuardOptions, type GuardOptions } from '../guard/guard-options.ts'
import { createFound, createGuards, type Decide, type Guards, type PolicyGuards } from '../guard/guards.ts'
import type { ClientPrincipal, Principal, StalenessPolicy, Verifier } from '../types.ts'
import { answer, type Guard, type GuardedRequest } from './guard.ts'
import { putGuards } from './imported-guards.ts'

/** The guards, as the app is decorated with them. */
export type VerifierGuards = Pick<Guards<Guard>, 'authenticate' | 'authorize'>

/** What `app.verifier` offers: all guards, whatever names the app has them under, and the verifier behind them. */
export interface FastifyVerifier extends PolicyGuards<Guard>, Pick<Verifier, 'ready' | 'staleness' | 'events' | 'counters'> {
  /** The principal that a guard found; `null` on a request that none has seen. */
  principal (request: object): Principal | null
  /** The other service that `authorizeClient` found; `null` on a request that it has not seen. */
  client (request: object): ClientPrincipal | null
}

/** Other names for what the plugin adds to the app and its requests. */
export interface DecoratorNames {
  readonly user?: string
  readonly authenticate?: string
  readonly authorize?: string
  readonly verifier?: string
}

/** What the plugin takes. */
export type VerifierPluginOptions = GuardOptions & { readonly decorators?: DecoratorNames }

declare module 'fastify' {
  // Inherited and not declared: an app that has typed an `authenticate` of its own keeps its type.
  interface FastifyInstance extends VerifierGuards {
    verifier: FastifyVerifier
  }
}

const plugin: FastifyPluginAsync<VerifierPluginOptions> = async (app, { decorators, ...options }) => {
  const names = { user: 'user', authenticate: 'authenticate', authorize: 'authorize', verifier: 'verifier', ...decorators }
  refuseTaken(app, names)

  const { verifier, isOwn, cookie, passRefusals } = readGuardOptions(ofOurs(options))
  if (isOwn) {
    app.addHook('onClose', async () => verifier.close())
    if (hasLogger(app)) verifier.events.on('warning', warning => app.log.warn({ err: warning, code: warning.code }, warning.message))
  }

  const found = createFound(names.user)
  const guardsFor = (policy: Partial<StalenessPolicy>) => createGuards(createIdentify(verifier, cookie, policy), found, toGuard(passRefusals))
  const guards = guardsFor({})

  putGuards(app, guards)
  app.decorate(names.authenticate, guards.authenticate)
  app.decorate(names.authorize, guards.authorize)
  app.decorate(names.verifier, {
    ...guards,
    with: guardsFor,
    principal: found.users.read,
    client: found.clients.read,
    ready: verifier.ready,
    staleness: verifier.staleness,
    events: verifier.events,
    counters: verifier.counters
  } satisfies FastifyVerifier)
}

function toGuard (passRefusals: boolean): (decide: Decide<GuardedRequest>) => Guard {
  return decide => (request, reply, done) => decide(request, refusal => {
    if (refusal === undefined) return done()
    if (!passRefusals) return answer(refusal, request, reply)
    reply.headers(refusal.headers)
    done(refusal)
  })
}

// The logger of an app that has none is one function under every name, and has no level.
function hasLogger ({ log }: FastifyInstance): boolean {
  return log.warn !== log.error || 'level' in log
}

/** Leaves out what is Fastify's to read. */
function ofOurs ({ prefix: _prefix, logLevel: _logLevel, logSerializers: _logSerializers, ...options }: GuardOptions & { prefix?: unknown, logLevel?: unknown, logSerializers?: unknown }): GuardOptions {
  return options
}

function refuseTaken (app: FastifyInstance, names: Required<DecoratorNames>): void {
  for (const decorator of ['authenticate', 'authorize', 'verifier'] as const) {
    if (app.hasDecorator(names[decorator])) {
      throw new Error(`This app has a decorator named "${names[decorator]}" already: give the verifier's another name with the option decorators: { ${decorator}: '…' }`)
    }
  }
}

/** The verifier as a Fastify plugin: adds guards for the app's routes, and nothing else. */
export const countersignVerifier: FastifyPluginAsync<VerifierPluginOptions> = Object.assign(plugin, {
  // What fastify-plugin would do: the guards are for the app that registers this, and not for a child of it.
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'countersign-verifier',
  [Symbol.for('plugin-meta')]: { name: 'countersign-verifier', fastify: '5.x' }
})

export default countersignVerifier
export { authenticate, authorize, authorizeClient } from './imported-guards.ts'
export type { Guard } from './guard.ts'
export { AccessProblem, type AccessProblemCode } from '../guard/problem.ts'
export type { Guards, PolicyGuards } from '../guard/guards.ts'
export type { GuardOptions } from '../guard/guard-options.ts'
