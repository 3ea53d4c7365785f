import type {} from 'fastify'
import type { Principal } from '../types.ts'

// Types `request.user` in apps that do not use @fastify/jwt, whose own types declare it too. Those that do say
// `interface FastifyJWT { user: Principal }` instead.
declare module 'fastify' {
  interface FastifyRequest {
    user: Principal
  }
}
