import { readFile } from 'node:fs/promises'
import t from 'tap'
import { startService } from '../support/service.ts'

interface Media { schema?: { $ref?: string }, example?: unknown, examples?: object }
interface Operation {
  operationId?: string
  summary?: string
  tags?: string[]
  security?: Record<string, string[]>[]
  requestBody?: { required: boolean, content: Record<string, Media> }
  responses: Record<string, { description: string, headers?: object, content?: Record<string, Media> }>
}
interface Document {
  openapi: string
  servers: { url: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: object, securitySchemes: object }
}

const written = JSON.parse(await readFile(new URL('../../../docs/openapi.json', import.meta.url), 'utf8')) as Document
const operations = Object.entries(written.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })))

// Some routes exist only where what needs them is configured.
const EVERYTHING = { ALLOWED_REDIRECTS: 'https://app.example.com/welcome', GOOGLE_CLIENT_ID: 'web', GOOGLE_CLIENT_SECRET: 'secret', GOOGLE_NATIVE_CLIENT_IDS: 'app', GOOGLE_KEEP_TOKENS: 'true', CODE_LOGIN: 'true' }

t.test('docs/openapi.json is what the service serves', async t => {
  const { call } = await startService(t, EVERYTHING)
  const served = await call<Document>('GET /openapi.json')
  t.equal(served.status, 200)
  t.same(served.body, written, 'npm run openapi writes it anew')
})

t.test('behind a public URL the document names that server, and the cookies of that scheme', async t => {
  const { call } = await startService(t, { ...EVERYTHING, PUBLIC_URL: 'https://auth.example.com' })
  const { body } = await call<Document>('GET /openapi.json')
  t.same(body.servers, [{ url: 'https://auth.example.com' }])
  t.match(body.components.securitySchemes, { cookieAuth: { name: '__Host-access' }, sessionAuth: { name: '__Host-session' } })
  const { servers, components } = written
  t.same({ ...body, servers, components }, written, 'and is the same otherwise')
})

t.test('every operation says what it is, who may call it, and how it answers', async t => {
  t.match(written.openapi, /^3\.1\./)
  t.same(Object.keys(written.components.securitySchemes), ['bearerAuth', 'cookieAuth', 'sessionAuth', 'clientAuth', 'clientToken'])
  const ids = operations.map(({ operation }) => operation.operationId)
  t.equal(new Set(ids).size, ids.length, 'no operationId twice')

  for (const { name, operation } of operations) {
    t.match(operation, { operationId: /^[a-z][A-Za-z]+$/, summary: /\w/, tags: [/\w/], security: Array }, name)
    t.ok(Object.keys(operation.responses).some(status => status.startsWith('4')), `${name} has a 4xx`)
    for (const media of Object.values(operation.requestBody?.content ?? {})) t.ok(hasExample(media), `${name}: an example of the body`)
    for (const [status, { content }] of Object.entries(operation.responses)) {
      if (status === '204') t.equal(content, undefined, `${name}: 204 has no content`)
      for (const [type, media] of Object.entries(content ?? {})) {
        t.ok(hasExample(media), `${name} ${status}: an example`)
        if (Number(status) < 400 || name.startsWith('GET /health/')) continue
        t.equal(type, name.startsWith('POST /oauth/') ? 'application/json' : 'application/problem+json', `${name} ${status}`)
      }
    }
  }
})

t.test('no operation lists a cookie: a generated client would send its token there too, and be refused for want of protection from CSRF', async t => {
  const listed = new Set(operations.flatMap(({ operation }) => operation.security?.flatMap(requirement => Object.keys(requirement)) ?? []))
  t.same([...listed].sort(), ['bearerAuth', 'clientAuth', 'clientToken'])
  t.same(written.paths['/auth/me']?.get?.security, [{ bearerAuth: [] }])
  t.same(written.paths['/auth/logout']?.post?.security, [{ bearerAuth: [] }, {}], 'or nothing at all')
})

t.test('what only some routes have is in the document', async t => {
  const login = written.paths['/auth/login']?.post
  t.same(login?.security, [], 'anybody may log in')
  t.match(login?.responses['200']?.headers, { 'Set-Cookie': {} })
  t.equal(login?.requestBody?.required, true)
  const logout = written.paths['/auth/logout']?.post
  t.equal(logout?.requestBody?.required, false, "logout's body may be left out")
  t.match(logout?.responses['204']?.headers, { 'Set-Cookie': {} })
  t.match(written.paths['/auth/verify']?.get?.responses['200']?.headers, { 'X-Auth-User-Id': {}, 'X-Auth-Role': {}, 'X-Auth-Email': {} })
  t.same(Object.keys(written.components.schemas).filter(name => !/^[A-Z][A-Za-z]+$/.test(name)), [], 'every schema has a name')
})

function hasExample ({ example, examples }: Media): boolean {
  return example !== undefined || Object.keys(examples ?? {}).length > 0
}
