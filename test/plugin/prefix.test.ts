import t from 'tap'
import { countersign } from '../../src/index.ts'
import { bareHost, pluginOptions, registerAda } from './host.ts'

const PROVIDER = { publicUrl: 'https://auth.example.com', githubClientId: 'countersign', githubClientSecret: 'secret of github' }

for (const [scope, prefix, path] of [
  ['', '/api', '/api'], ['', '/api/', '/api'], ['', 'api', '/api'], ['', 'api/v1/', '/api/v1'], ['', '/', ''], ['', '', ''],
  ['/api', undefined, '/api'], ['/api/', undefined, '/api'], ['/api', '/', '/api'], ['/api', '/identity', '/api/identity'], ['/api/', 'identity/', '/api/identity']
] as const) {
  t.test(`the prefix ${prefix === undefined ? 'of the scope alone' : `'${prefix}'`} in a scope with '${scope}'`, async t => {
    const app = bareHost(t)
    const options = await pluginOptions(t, { ...PROVIDER, ...prefix !== undefined && { prefix } })
    await app.register(async s => { await s.register(countersign, options) }, { prefix: scope })
    await app.ready()

    await registerAda(app, path)
    const start = await app.inject(`${path}/auth/providers/github`)
    t.equal(start.statusCode, 302)
    t.equal(new URL(String(start.headers.location)).searchParams.get('redirect_uri'), `https://auth.example.com${path}/auth/providers/github/callback`)
    const metadata = await app.inject(`${path}/.well-known/oauth-authorization-server`)
    t.equal(metadata.statusCode, 200)
    t.equal(metadata.json<{ token_endpoint: string }>().token_endpoint, `https://auth.example.com${path}/oauth/token`)
    t.equal((await app.inject({ url: `${path}/auth/verify` })).statusCode, 401)
  })
}
