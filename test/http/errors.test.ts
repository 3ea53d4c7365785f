import t from 'tap'
import { fieldsOf, isProblem } from '../support/problem.ts'
import { PASSWORD, startService, type TestService } from '../support/service.ts'

const JSON_BODY = { 'content-type': 'application/json' }

/** JSON that is so many levels deep. */
const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`

t.test('what cannot be answered', async t => {
  const service = await startService(t)
  const { call } = service
  const ada = await service.person()
  const post = (text: string, headers: Record<string, string> = JSON_BODY) => call('POST /auth/login', { text, headers })

  t.test('malformed JSON is 400', async t => {
    for (const text of [' ', '{', '{"email":', 'email=ada', '{email:1}', "{'email':1}", '{"a":1,}', '[1,]', 'NaN', 'undefined', '{"a":01}', '{"a":"\n"}', '\ufeff\ufeff{}', '{"a":1}{"b":2}', '\0', '{"a":"\\x"}', '<xml/>']) {
      isProblem(t, await post(text), 'malformed_json', JSON.stringify(text))
    }
  })

  t.test('a body that would touch a prototype is 400, however it is spelled', async t => {
    for (const text of ['{"__proto__":{"role":"admin"}}', '{"email":"x","__proto__":null}', '{"a":{"__proto__":1}}', '{"\\u005f_proto__":{}}', '{"\\u005f\\u005fproto\\u005f\\u005f":{}}', '[{"__proto__":{}}]',
      '{"constructor":{"prototype":{}}}', '{"a":{"constructor":{"prototype":{"role":"admin"}}}}', '{"constr\\u0075ctor":{"prototype":1}}', '{ "__proto__" : {} }', '{"__proto__"\n:{}}']) {
      isProblem(t, await post(text), 'malformed_json', text)
    }
    t.equal((await post('{"email":"__proto__","password":"constructor.prototype"}')).status, 401, 'as values they are words like any other')
  })

  t.test('a body nested nine deep is 400, eight deep is looked at', async t => {
    for (const depth of [9, 10, 100, 5000]) isProblem(t, await post(nested(depth)), 'malformed_json', `${depth} arrays`)
    isProblem(t, await post(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`), 'malformed_json', 'nine objects')
    isProblem(t, await post(`${'{"a":['.repeat(4)}{}${']}'.repeat(4)}`), 'malformed_json', 'nine of both')
    isProblem(t, await post(nested(8)), 'validation_failed')
    isProblem(t, await post(`${'{"a":'.repeat(8)}1${'}'.repeat(8)}`), 'validation_failed')
  })

  t.test('a body of another type is 415', async t => {
    const text = JSON.stringify({ email: ada.email, password: PASSWORD })
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'text/json', 'application/jsonp', 'application/problem+json', 'application/json/x', 'x', 'application/octet-stream', '*/*']) {
      isProblem(t, await post(text, { 'content-type': type }), 'unsupported_media_type', type)
    }
    isProblem(t, await post(text, {}), 'unsupported_media_type', 'none')
    for (const type of ['application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8', 'APPLICATION/JSON']) {
      t.equal((await post(text, { 'content-type': type })).status, 200, type)
    }
  })

  t.test('a body over 16 KB is 413, whatever is in it', async t => {
    const filled = (bytes: number) => `{"email":"${'x'.repeat(bytes - 12)}"}`
    isProblem(t, await post(filled(17 * 1024)), 'body_too_large')
    isProblem(t, await post(filled(16 * 1024 + 1)), 'body_too_large')
    isProblem(t, await post(filled(16 * 1024)), 'validation_failed')
    isProblem(t, await call('PATCH /auth/me', { token: ada.accessToken, json: { name: 'x'.repeat(17 * 1024) } }), 'body_too_large')
  })

  t.test('a body that is no object is 422', async t => {
    for (const text of ['', 'null', '[]', '"x"', '1', 'true', '[{"email":"x","password":"y"}]']) isProblem(t, await post(text), 'validation_failed', text)
  })

  t.test('every unknown field is named', async t => {
    const json = { email: 'x', password: 'y', role: 'admin', isAdmin: true, 'a.b': 1, 'c/d~e': 2, '': 3, $where: '1' }
    const answer = await call('POST /auth/login', { json })
    isProblem(t, answer, 'validation_failed')
    t.strictSame(fieldsOf(answer), ['', '$where', 'a.b', 'c/d~e', 'isAdmin', 'role'])
    t.ok(answer.body.errors?.some(({ pointer }) => pointer === '#/c~1d~0e'), 'by an RFC 6901 pointer too')
  })

  t.test('what may be null is not said to have to be', async t => {
    const answer = await call('POST /auth/refresh', { json: { refreshToken: 5 } })
    t.strictSame(answer.body.errors, [{ field: 'refreshToken', pointer: '#/refreshToken', detail: 'must be string' }])
    t.match(await call('POST /auth/logout', { json: { x: 1 } }), { body: { errors: [{ field: 'x', detail: 'is not a known field' }] } })
    t.strictSame(fieldsOf(await call('POST /auth/logout', { json: { x: 1 } })), ['x'])
    t.match(await call('POST /auth/logout', { json: [] }), { status: 422, body: { errors: [{ field: '', detail: 'must be object' }] } })
  })

  t.test('of a thousand wrong fields twenty are named', async t => {
    const json = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`f${n}`, n]))
    t.equal(fieldsOf(await call('POST /auth/login', { json })).length, 20)
  })

  t.test('OPTIONS that is no preflight is 404, like any method that a route has not', async t => {
    for (const [target, headers] of [['OPTIONS /auth/me', {}], ['OPTIONS /nothing', {}], ['OPTIONS *', {}], ['OPTIONS /auth/me', { origin: 'https://app.example.com' }], ['OPTIONS /auth/me', { 'access-control-request-method': 'PATCH' }]] as const) {
      isProblem(t, await call(target, { headers }), 'not_found', target)
    }
  })

  t.test('a failure of ours names the request as the log does, and no other answer does', async t => {
    const failing = await startService(t)
    await failing.database.close()
    const headers = { 'x-request-id': 'mine', 'request-id': 'mine' }
    const answer = await failing.call('POST /auth/login', { json: { email: 'ada@example.com', password: 'x' }, headers })
    isProblem(t, answer, 'unavailable')
    const id = answer.headers['x-request-id'] ?? ''
    t.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'whatever the client calls it')
    t.ok(failing.log.some(({ reqId, code }) => reqId === id && code === 'unavailable'))
    for (const other of [await call('GET /health/live'), await call('GET /nothing'), await call('GET /auth/me'), await post('{')]) t.notOk('x-request-id' in other.headers)
  })

  t.test('a route that nobody has is 404', async t => {
    for (const target of ['GET /', 'GET /nothing', 'POST /auth', 'GET /auth/login', 'PUT /auth/me', 'POST /auth/me', 'DELETE /admin', 'GET /auth/login/', 'POST //auth/login', 'GET /.env', 'GET /auth/../etc/passwd', 'TRACE /auth/me']) {
      isProblem(t, await call(target), 'not_found', target)
    }
    isProblem(t, await call('POST /nothing', { json: { a: 1 } }), 'not_found', 'with a body')
  })

  t.test('a body that is not UTF-8 is 400, and not another password', async t => {
    for (const byte of ['ff', 'fe', 'c328', 'eda080']) {
      const body = Buffer.concat([Buffer.from(`{"email":"${ada.email}","password":"`), Buffer.from(byte, 'hex'), Buffer.from('"}')])
      const { statusCode, json } = await service.app.inject({ method: 'POST', url: '/auth/login', headers: { 'content-type': 'application/json' }, payload: body })
      t.match({ statusCode, body: json() as object }, { statusCode: 400, body: { code: 'malformed_json' } }, byte)
    }
  })

  t.test('a path that cannot be read is 400', async t => {
    for (const path of ['/%', '/%zz', '/auth/%E0%A4%A', '/admin/users/%ff']) {
      const answer = await call(`GET ${path}`, { token: ada.accessToken })
      t.match(answer.status, /^40[0-4]$/, path)
      t.match(answer.headers['content-type'], /^application\/problem\+json/, path)
      t.equal(answer.body.status, answer.status, path)
    }
  })

  t.test('no answer is kept, and none tells what it runs on', async t => {
    for (const answer of [await call('GET /nothing'), await post('{'), await call('GET /auth/me'), await post('{}'), await call('GET /auth/me', { token: 'x' })]) {
      t.equal(answer.headers['cache-control'], 'no-store')
      t.notOk('server' in answer.headers || 'x-powered-by' in answer.headers)
      t.notMatch(answer.text, /fastify|node|prisma|postgres|stack|\bat .*:\d+/i)
    }
  })
})

t.test('what fails within', async t => {
  const service = await startService(t)
  const ada = await service.person()
  const login = () => service.call('POST /auth/login', { json: { email: ada.email, password: ada.password } })

  /** Runs work while a table is not there. */
  async function without (table: string, work: () => Promise<void>) {
    await service.sql(`ALTER TABLE ${table} RENAME TO ${table}_away`)
    try {
      await work()
    } finally {
      await service.sql(`ALTER TABLE ${table}_away RENAME TO ${table}`)
    }
  }

  t.test('is 500, and says nothing of what it was', async t => {
    const failures = {
      users: [login, () => service.call('GET /auth/me', { token: ada.accessToken }), () => service.call('POST /auth/register', { json: { email: 'new@example.com', password: PASSWORD } })],
      sessions: [login, () => service.call('POST /auth/logout', { token: ada.accessToken })]
    }
    for (const [table, asks] of Object.entries(failures)) {
      await without(table, async () => {
        for (const ask of asks) {
          const answer = await ask()
          isProblem(t, answer, 'internal_error', table)
          t.strictSame(Object.keys(answer.body).sort(), ['code', 'status', 'title', 'type'])
          t.notMatch(answer.text, /users|sessions|relation|select|sql|prisma|postgres|\.ts|\.js/i)
          t.equal(answer.headers['cache-control'], 'no-store')
        }
      })
    }
  })

  t.test('is logged, with its cause, under the id of the request', async t => {
    const before = service.log.length
    await without('sessions', async () => { await login() })
    const lines = service.log.slice(before)
    const failure = lines.find(({ level }) => level === 50)
    t.match(failure, { code: 'internal_error', err: { message: /sessions/ } })
    t.equal(lines.find(({ msg }) => msg === 'request completed')?.reqId, failure?.reqId)
  })

  t.test('ends no session where logging out could not be stored', async t => {
    const bob = await service.person()
    await without('revocations', async () => {
      t.match((await service.call('POST /auth/logout', { token: bob.accessToken })).status, /^5/)
    })
    t.equal((await service.call('GET /auth/me', { token: bob.accessToken })).status, 200)
  })

  t.test('is over when its cause is', async t => {
    t.equal((await login()).status, 200)
  })
})

t.test('a database that is gone', async t => {
  const service: TestService = await startService(t)
  const ada = await service.person()
  await service.database.close()
  const json = { email: ada.email, password: ada.password }

  t.test('does not keep tokens from being verified', async t => {
    t.equal((await service.call('GET /auth/verify', { token: ada.accessToken })).status, 200)
  })

  t.test('makes everything that needs it 503, to be tried again soon', async t => {
    const asks = {
      login: () => service.call('POST /auth/login', { json }),
      register: () => service.call('POST /auth/register', { json: { email: 'new@example.com', password: PASSWORD } }),
      me: () => service.call('GET /auth/me', { token: ada.accessToken }),
      rename: () => service.call('PATCH /auth/me', { token: ada.accessToken, json: { name: 'x' } }),
      logout: () => service.call('POST /auth/logout', { token: ada.accessToken }),
      'logout by refresh token': () => service.call('POST /auth/logout', { json: { refreshToken: ada.refreshToken } }),
      refresh: () => service.call('POST /auth/refresh', { json: { refreshToken: ada.refreshToken } })
    }
    for (const [name, ask] of Object.entries(asks)) {
      const answer = await ask()
      isProblem(t, answer, 'unavailable', name)
      t.match(answer.headers['retry-after'], /^([1-9]|[12]\d)$/, 'sooner than the window of refreshing is over')
      t.notMatch(answer.text, /pglite|pool|postgres|connect/i, name)
    }
  })

  t.test('is named by /health/ready', async t => {
    const { status, body } = await service.call<unknown>('GET /health/ready')
    t.equal(status, 200, 'and leaves it ready, for tokens are verified all the same')
    t.match(body, { status: 'degraded', checks: { database: 'down' } })
    t.equal((await service.call('GET /health/live')).status, 200, 'the process itself lives')
  })
})
