import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'

export interface HttpRequestOptions {
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | undefined
  /** Default: the agent of the process. */
  readonly agent?: HttpAgent | undefined
  /** Aborts the request, and the response while it is read. */
  readonly signal: AbortSignal
}

/**
 * Sends a request; resolves with the response once its headers are there. Redirects are not followed: they could send the
 * credentials to another host.
 *
 * A kept-alive connection may have been closed by the server in the same moment: then the request is sent once more.
 */
export function httpRequest (url: URL, { method = 'GET', headers = {}, body, agent, signal }: HttpRequestOptions): Promise<IncomingMessage> {
  const open = url.protocol === 'https:' ? requestHttps : requestHttp
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }

  return new Promise((resolve, reject) => {
    function send (isRetry: boolean): void {
      const request = open(url, { method, headers: { ...headers, ...length }, agent, signal })
      request.on('response', resolve).on('error', (error: NodeJS.ErrnoException) => {
        if (!isRetry && request.reusedSocket && error.code === 'ECONNRESET') send(true)
        else reject(error)
      }).end(body)
    }
    send(false)
  })
}

/** An agent that keeps up to 64 connections alive. Destroying it closes them. */
export function keepConnections ({ protocol }: URL): HttpAgent {
  const options = { keepAlive: true, maxSockets: 64 }
  return protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options)
}
