import type {} from 'fastify'
import type { Principal } from '../types.ts'

// Types `request.user` for apps without @fastify/jwt, whose types declare it too. With it, declare
// `interface FastifyJWT { user: Principal }` instead.
declare module 'fastify' {
  interface FastifyRequest {
    user: Principal
  }
}
