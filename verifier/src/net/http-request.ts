import { Agent as PlainAgent, request as requestPlain, type IncomingMessage } from 'node:http'
import { Agent as SecureAgent, request as requestSecure } from 'node:https'

/** A request to the service. */
export interface HttpRequestOptions {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The connections to use. Default: those of the process. */
  readonly agent?: PlainAgent | undefined
  /** Ends the request, and the answer too while it is being read. */
  readonly signal: AbortSignal
}

/**
 * Sends a request, and gives the answer as soon as its head is there. Redirects are answers like others: nobody who can
 * answer for the service may send its verifiers, and their credentials, elsewhere.
 *
 * A connection that was kept may have been closed at the other end in the same moment: then it is asked once more.
 */
export function httpRequest (url: URL, { method = 'GET', headers = {}, body, agent, signal }: HttpRequestOptions): Promise<IncomingMessage> {
  const open = url.protocol === 'https:' ? requestSecure : requestPlain
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }

  return new Promise((resolve, reject) => {
    function send (isAgain: boolean): void {
      const request = open(url, { method, headers: { ...headers, ...length }, agent, signal })
      request.on('response', resolve).on('error', (error: NodeJS.ErrnoException) => {
        if (!isAgain && request.reusedSocket && error.code === 'ECONNRESET') send(true)
        else reject(error)
      }).end(body)
    }
    send(false)
  })
}

/** Connections to a service that are kept, at most 64. Destroying it closes them. */
export function keepConnections ({ protocol }: URL): PlainAgent {
  const options = { keepAlive: true, maxSockets: 64 }
  return protocol === 'https:' ? new SecureAgent(options) : new PlainAgent(options)
}
