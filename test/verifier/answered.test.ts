import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createGuards } from 'countersign-verifier/express'
import { startStandIn } from '../support/stand-in.ts'
import { until } from '../support/until.ts'
import { follow, goodToken } from '../support/verifiers.ts'

t.test('what somebody else has answered while the service was asked is let be', async t => {
  const service = await startStandIn(t)
  service.answer('/revocations', (_request, response) => response.writeHead(503).end())
  let decide = () => {}
  service.answer('/oauth/introspect', (_request, response) => {
    decide = () => response.writeHead(200).end('{"active":false}')
  })
  const verifier = follow(t, service, { onStale: 'introspect' })
  const { authenticate } = createGuards({ verifier })
  let passed = 0
  const server = createServer((request, response) => {
    authenticate(request, response, () => passed++)
    if (request.url === '/late') setTimeout(() => response.writeHead(504).end('Too late'), 20)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const ask = (path: string, signal?: AbortSignal) => fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${goodToken({ sid: path })}` }, ...signal && { signal } })

  const late = await ask('/late')
  t.strictSame([late.status, await late.text()], [504, 'Too late'])
  await until(() => service.asked['/oauth/introspect'] === 1)
  decide()
  await until(() => verifier.counters.refused.revoked === 1)

  const leaving = new AbortController()
  const gone = ask('/gone', leaving.signal)
  await until(() => service.asked['/oauth/introspect'] === 2)
  leaving.abort()
  await t.rejects(gone)
  decide()
  await until(() => verifier.counters.refused.revoked === 2)
  t.equal(passed, 0)
})
