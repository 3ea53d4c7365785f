import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestSecure } from 'node:https'

/** A request to the service. */
export interface Asking {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Ends the request, and the answer too while it is being read. */
  readonly signal: AbortSignal
}

/**
 * Sends a request, and gives the answer as soon as its head is there. Redirects are answers like others: nobody who can
 * answer for the service may send its verifiers, and their credentials, elsewhere.
 */
export function openResponse (url: URL, { method = 'GET', headers = {}, body, signal }: Asking): Promise<IncomingMessage> {
  const open = url.protocol === 'https:' ? requestSecure : requestPlain
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const request = open(url, { method, headers: { ...headers, ...length }, signal })
    request.on('response', resolve).on('error', reject).end(body)
  })
}
