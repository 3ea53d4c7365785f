import { BlockList, isIPv6 } from 'node:net'
import type { FastifyPluginCallback, FastifyRequest } from 'fastify'
import { isLoopback } from '../config/parsers.ts'
import { Problem } from '../errors.ts'
import type { Inbox } from './development-transport.ts'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/**
 * `GET /dev/mail`: the mails that development has not sent, the newest first. They hold login links, so only somebody at this
 * machine gets them: by a connection of the loopback, to a name of it (a page elsewhere could give its own name the address
 * 127.0.0.1), and without a proxy in between.
 */
export const developmentMailRoute: FastifyPluginCallback<{ inbox: Inbox }> = (app, { inbox }, done) => {
  app.get('/dev/mail', { schema: { hide: true } }, async request => {
    if (!isLocal(request)) throw new Problem('not_found')
    return { items: inbox }
  })
  done()
}

function isLocal ({ socket, headers }: FastifyRequest): boolean {
  const { remoteAddress: peer } = socket
  const host = `http://${headers.host ?? ''}`
  const isForwarded = Object.keys(headers).some(name => name === 'forwarded' || name === 'via' || name === 'x-real-ip' || name.startsWith('x-forwarded'))
  return peer !== undefined && loopback.check(peer, isIPv6(peer) ? 'ipv6' : 'ipv4') && URL.canParse(host) && isLoopback(new URL(host)) && !isForwarded
}
