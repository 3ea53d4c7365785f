import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { createDeadline } from './deadline.ts'
import { httpRequest, type HttpRequestOptions } from './http-request.ts'

/** A whole answer. */
export interface BoundedResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A request whose answer is read at once, within bounds. */
export interface BoundedRequestOptions extends HttpRequestOptions {
  /** Milliseconds that the whole of it may take. */
  readonly timeout: number
  /** Bytes that the answer's body may have. */
  readonly maxBytes: number
}

/** @throws Error where there is no answer in time, or one that is too long */
export async function boundedRequest (url: URL, { timeout, maxBytes, signal: closing, ...asking }: BoundedRequestOptions): Promise<BoundedResponse> {
  const { signal, clear } = createDeadline(timeout, `No answer within ${timeout / 1000} s`, closing)
  try {
    const response = await httpRequest(url, { ...asking, signal })
    return { status: response.statusCode ?? 0, headers: response.headers, body: await readBody(response, maxBytes) }
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    clear()
  }
}

async function readBody (response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`An answer of more than ${maxBytes} bytes`)
  }
  return Buffer.concat(chunks).toString('utf8')
}
