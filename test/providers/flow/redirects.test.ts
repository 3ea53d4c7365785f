import t from 'tap'
import { startFlow, cookiesOf } from '../../support/providers/sign-in.ts'
import { APP, APP_LINK, APP_SCHEME, OTHER_APP, startWorld } from '../../support/providers/world.ts'
import { fieldsOf, isProblem } from '../../support/problem.ts'

const FOREIGN: Readonly<Record<string, string>> = {
  'another site': 'https://evil.example/welcome',
  'no scheme': '//evil.example/welcome',
  'three slashes': '///evil.example',
  'a path': '/welcome',
  'a backslash': 'https:\\\\evil.example',
  'a backslash before the host that is allowed': 'https://evil.example\\@app.example.com/welcome',
  'backslashes for slashes': '\\\\evil.example\\welcome',
  'a user that looks like the host': 'https://app.example.com@evil.example/welcome',
  'a user before the host': 'https://evil.example@app.example.com/welcome',
  'an empty user': 'https://@app.example.com/welcome',
  'a longer host': 'https://app.example.com.evil.example/welcome',
  'a sibling': 'https://evil.app.example.com/welcome',
  'a longer path': `${APP}/more`,
  'a path that begins alike': `${APP}evil`,
  'a slash too many': `${APP}/`,
  'a shorter path': 'https://app.example.com/',
  'the origin alone': 'https://app.example.com',
  'the way up': 'https://app.example.com/welcome/../steal',
  'the way up and back': 'https://app.example.com/x/../welcome',
  'a way up, encoded': 'https://app.example.com/welcome%2f..%2fsteal',
  'an encoded letter': 'https://app.example.com/%77elcome',
  'encoded twice': encodeURIComponent(APP),
  'a query': `${APP}?next=https://evil.example`,
  'an empty query': `${APP}?`,
  'a fragment': `${APP}#evil`,
  'an empty fragment': `${APP}#`,
  'less of the query': 'https://shop.example.com/account',
  'more of the query': `${OTHER_APP}&x=1`,
  'another port': 'https://app.example.com:8443/welcome',
  'the port of the scheme': 'https://app.example.com:443/welcome',
  'plain http': 'http://app.example.com/welcome',
  'another case of the host': 'https://APP.example.com/welcome',
  'another case of the path': 'https://app.example.com/Welcome',
  'a dot after the host': 'https://app.example.com./welcome',
  'a full-width dot': 'https://app．example.com/welcome',
  'a space before': ` ${APP}`,
  'a space after': `${APP} `,
  'a tab within': 'https://app.exa\tmple.com/welcome',
  'a line feed after': `${APP}\n`,
  'a NUL after': `${APP}\0`,
  'a header after': `${APP}\r\nset-cookie: x=1`,
  'two at once': `${APP},${OTHER_APP}`,
  javascript: 'javascript:alert(1)',
  data: 'data:text/html,<script>alert(1)</script>',
  file: 'file:///etc/passwd',
  'a scheme that begins alike': 'com.example.app.evil:/signed-in',
  'a scheme of somebody else': 'com.evil.app:/signed-in',
  'another path of the scheme': 'com.example.app:/steal',
  'more slashes after the scheme': 'com.example.app://signed-in',
  'nothing at all': '',
  'a word': 'undefined'
}

t.test('where people are sent after signing in', async t => {
  const { service, browser } = await startWorld(t)

  t.test('is one of ALLOWED_REDIRECTS, to the letter', async t => {
    for (const redirectTo of [APP, OTHER_APP, APP_LINK]) t.equal((await startFlow(browser(), 'google', { redirectTo })).pathname, '/auth', redirectTo)
    t.equal((await startFlow(browser(), 'google', { redirectTo: APP_SCHEME, parameters: { codeChallenge: 'c'.repeat(43), codeChallengeMethod: 'S256' } })).pathname, '/auth')
  })

  for (const [name, redirectTo] of Object.entries(FOREIGN)) {
    t.test(`is never ${name}`, async t => {
      for (const provider of ['google', 'github', 'facebook', 'acme']) {
        const answer = await service.call(`GET /auth/providers/${provider}?redirectTo=${encodeURIComponent(redirectTo)}`)
        isProblem(t, answer, 'validation_failed', provider)
        t.strictSame(fieldsOf(answer), ['redirectTo'])
        t.equal(answer.headers.location, undefined)
        t.strictSame(answer.cookies, {})
      }
    })
  }

  t.test('is asked for once at most', async t => {
    const twice = `redirectTo=${encodeURIComponent(APP)}&redirectTo=${encodeURIComponent('https://evil.example')}`
    isProblem(t, await service.call(`GET /auth/providers/google?${twice}`), 'validation_failed')
  })

  t.test('is the first of them where nothing is said', async t => {
    const somebody = browser()
    const page = await somebody.visit('/auth/providers/google')
    const state = page.location?.searchParams.get('state')
    t.match((await somebody.visit(`/auth/providers/google/callback?error=access_denied&state=${state}`)).location?.href, `${APP}?error=`)
  })

  t.test('is refused for linking alike', async t => {
    const { accessToken: token } = await service.person()
    for (const [name, redirectTo] of Object.entries(FOREIGN)) {
      const answer = await service.call('POST /auth/identities/link', { token, json: { provider: 'google', redirectTo } })
      isProblem(t, answer, 'validation_failed', name)
    }
  })

  t.test('cannot be changed by what the callback carries', async t => {
    const somebody = browser()
    const state = (await startFlow(somebody, 'google')).searchParams.get('state')
    const page = await somebody.visit(`/auth/providers/google/callback?error=access_denied&state=${state}&redirectTo=${encodeURIComponent('https://evil.example')}&redirect_uri=${encodeURIComponent('https://evil.example')}`)
    t.equal(page.location?.origin, new URL(APP).origin)
    t.ok(Object.keys(cookiesOf(somebody)).every(name => !name.includes('access')))
  })
})

t.test('without ALLOWED_REDIRECTS nobody is sent anywhere', async t => {
  const { service } = await startWorld(t, { ALLOWED_REDIRECTS: '' })
  t.equal((await service.call(`GET /auth/providers/google?redirectTo=${encodeURIComponent(APP)}`)).status, 422)
})
