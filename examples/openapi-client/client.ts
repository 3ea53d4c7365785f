// A typed client, generated from the service's own document:
//
//   npx openapi-typescript http://localhost:3000/openapi.json --output countersign.d.ts
//   npx tsc -p . && node client.js http://localhost:3000
//
// The compiler checks paths, bodies and responses.
import createClient from 'openapi-fetch'
import type { paths } from './countersign.d.ts'

const [, , baseUrl = 'http://localhost:3000'] = process.argv
const { GET, POST } = createClient<paths>({
  baseUrl,
  // A redirect (307, 308) would take the password elsewhere.
  redirect: 'error',
  fetch: request => fetch(request, { signal: AbortSignal.timeout(10_000) })
})

const credentials = { email: `ada-${Date.now()}@example.com`, password: 'correct horse battery' }
await POST('/auth/register', { body: { ...credentials, name: 'Ada Lovelace' } })

const { data, error } = await POST('/auth/login', { body: credentials })
if (data === undefined) throw new Error(`${error.code}: ${error.title}`)

const headers = { authorization: `Bearer ${data.accessToken}` }
const me = await GET('/auth/me', { headers })
console.log(JSON.stringify({ name: me.data?.name, role: me.data?.role, expiresIn: data.expiresIn }))

await POST('/auth/logout', { headers })
const after = await GET('/auth/me', { headers })
console.log(JSON.stringify({ code: after.error?.code }))
