import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { promisify } from 'node:util'
import openapiTS, { astToString } from 'openapi-typescript'
import t from 'tap'
import { startService } from '../support/service.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))
const tsc = join(root, 'node_modules/typescript/bin/tsc')

// What the generated types must hold: a misspelt path, field or value does not compile.
const TYPES = `
import createClient from 'openapi-fetch'
import type { components, paths } from './countersign.d.ts'

const { GET, POST } = createClient<paths>({ baseUrl: 'http://localhost' })
const { data, error } = await POST('/auth/login', { body: { email: 'a@example.com', password: 'b', deliver: 'cookie' } })
export const token: string | undefined = data?.accessToken
export const code: components['schemas']['Problem']['code'] | undefined = error?.code
export const role: 'user' | 'admin' | undefined = data?.user.role
await POST('/auth/logout')
// @ts-expect-error there is no such path
await GET('/auth/nowhere')
// @ts-expect-error a password is missing
await POST('/auth/login', { body: { email: 'a@example.com' } })
// @ts-expect-error there is no such way to deliver
await POST('/auth/login', { body: { email: 'a@example.com', password: 'b', deliver: 'pigeon' } })
// @ts-expect-error an answer has no such field
export const misspelt = data?.acessToken
`

t.test('a client generated from the running service compiles, logs in and logs out', async t => {
  const service = await startService(t)
  const origin = await service.listen()

  // Beside the build, where the packages that it imports are found.
  const directory = await mkdtemp(join(root, '.build/openapi-client-'))
  t.teardown(() => rm(directory, { recursive: true }))
  await cp(join(root, 'examples/openapi-client'), directory, { recursive: true })
  const ast = await openapiTS(new URL('/openapi.json', origin))
  await writeFile(join(directory, 'countersign.d.ts'), astToString(ast))
  await writeFile(join(directory, 'types.ts'), TYPES)

  await t.resolves(run(process.execPath, [tsc, '-p', directory], { cwd: directory }), 'it compiles')
  const { stdout } = await run(process.execPath, [join(directory, 'client.js'), origin])
  t.same(stdout.trim().split('\n').map(line => JSON.parse(line) as unknown), [
    { name: 'Ada Lovelace', role: 'user', expiresIn: 600 },
    { code: 'invalid_token' }
  ])
})
