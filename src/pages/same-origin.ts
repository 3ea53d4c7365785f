import type { FastifyRequest } from 'fastify'
import { Problem } from '../errors.ts'

/**
 * Refuses a form that was not sent by a page of the service itself: by `Sec-Fetch-Site`, or by `Origin` where a browser does not
 * send that. Other allowed origins do not count here.
 *
 * @param origin of `PUBLIC_URL`
 * @throws Problem 403 `cross_site_request`
 */
export function assertSameOrigin ({ headers }: Pick<FastifyRequest, 'headers'>, origin: string): void {
  const { 'sec-fetch-site': site } = headers
  const isOurs = site === undefined ? headers.origin === origin : site === 'same-origin' || site === 'none'
  if (!isOurs) throw new Problem('cross_site_request')
}
