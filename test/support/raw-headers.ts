import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'

/** Asks with headers that `fetch` would join. @param headers names and values in turn. @returns the status */
export async function statusWith (target: string, origin: string, headers: readonly string[]): Promise<number | undefined> {
  const [method, path = '/'] = target.split(' ')
  const sent = request(new URL(path, origin), { method, headers: [...headers, 'Host', new URL(origin).host, 'Content-Length', '0'], agent: false })
  sent.end()
  const [response] = await once(sent, 'response') as [IncomingMessage]
  response.resume()
  return response.statusCode
}
