import { fastifyCookie } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config.ts'
import { cookieNames, readCookie } from '../../http/cookies.ts'

/** Cookies that each carry one purpose of a browser to somewhere else and back, told apart by an id in their names. */
export interface FlowCookies {
  /** The ids of those that a request carries. */
  ids (request: FastifyRequest): string[]
  /** @throws AmbiguousCookie */
  read (request: FastifyRequest, id: string): string | undefined
  /** @param maxAge seconds */
  set (reply: FastifyReply, id: string, value: string, maxAge: number): void
  clear (reply: FastifyReply, id: string): void
}

/** They are always Lax: who comes back comes from another site. */
export function createFlowCookies ({ publicUrl }: Pick<Config, 'publicUrl'>): FlowCookies {
  const secure = publicUrl.startsWith('https:')
  const prefix = `${secure ? '__Host-' : ''}flow-`

  function write (reply: FastifyReply, id: string, value: string, maxAge: number): void {
    reply.header('set-cookie', fastifyCookie.serialize(prefix + id, value, { path: '/', httpOnly: true, secure, sameSite: 'lax', maxAge }))
  }

  return {
    ids ({ headers: { cookie = '' } }) {
      const names = cookieNames(cookie).filter(name => name.startsWith(prefix))
      return [...new Set(names)].map(name => name.slice(prefix.length))
    },
    read: ({ headers: { cookie } }, id) => cookie === undefined ? undefined : readCookie(cookie, prefix + id),
    set: write,
    clear: (reply, id) => write(reply, id, '', 0)
  }
}
