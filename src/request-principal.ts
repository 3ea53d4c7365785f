import type { Principal } from 'countersign-verifier'

/** Where the principal of a request is kept. */
export interface RequestPrincipal {
  /** @throws Error where no guard has put one */
  read (request: object): Principal
  /** The same, `null` where there is none. */
  peek (request: object): Principal | null
  write (request: object, principal: Principal): void
}

/**
 * Keeps the principal as a property of the request, `user` as a rule.
 *
 * The property is assigned and never declared as a decorator: so the host may register @fastify/jwt, which declares
 * `user`, before this plugin or after it. What that plugin puts there is no principal: ours is told apart by standing
 * under a symbol too.
 */
export function createRequestPrincipal (property: string): RequestPrincipal {
  const own = Symbol('countersign.principal')
  type Carrier = { [own]?: Principal, [name: string]: unknown }
  const peek = (request: object) => (request as Carrier)[own] ?? null

  return {
    peek,
    read (request) {
      const principal = peek(request)
      if (principal === null) throw new Error('This route reads the principal, but no guard stands before it')
      return principal
    },
    write (request, principal) {
      const carrier = request as Carrier
      carrier[own] = principal
      carrier[property] = principal
    }
  }
}
