import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { createDeadline } from './deadline.ts'
import { httpRequest, type HttpRequestOptions } from './http-request.ts'

export interface BoundedResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface BoundedRequestOptions extends HttpRequestOptions {
  /** Milliseconds for the whole exchange. */
  readonly timeout: number
  /** Bytes that the response body may have. */
  readonly maxBytes: number
}

/** Sends a request and reads the response. @throws Error if it takes too long or is too large */
export async function boundedRequest (url: URL, { timeout, maxBytes, signal: closing, ...options }: BoundedRequestOptions): Promise<BoundedResponse> {
  const { signal, clear } = createDeadline(timeout, `No response within ${timeout / 1000} s`, closing)
  try {
    const response = await httpRequest(url, { ...options, signal })
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
    if (bytes > maxBytes) throw new Error(`The response has more than ${maxBytes} bytes`)
  }
  return Buffer.concat(chunks).toString('utf8')
}
