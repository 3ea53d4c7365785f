import t from 'tap'
import { freePort } from '../support/free-port.ts'
import { mailsOf } from '../support/inbox.ts'
import { inChromium, openChromium } from '../support/providers/chromium.ts'
import { startService } from '../support/service.ts'

const NEW = 'a staple of nine words'

t.test('a mailed link in Chromium, without script: a password is refused, the next one is set', inChromium, async t => {
  const port = await freePort()
  const service = await startService(t, { PUBLIC_URL: `http://localhost:${port}` })
  await service.app.listen({ host: '127.0.0.1', port })
  const person = await service.person()
  await service.call('POST /auth/password/forgot', { json: { email: person.email } })
  const [mail] = await mailsOf(service, person.email)
  const [link = ''] = /http:\/\/localhost\S+/.exec(mail?.text ?? '') ?? []

  const context = await openChromium(t, { javaScriptEnabled: false, viewport: { width: 320, height: 640 } })
  const page = await context.newPage()
  const refused: string[] = []
  page.on('console', message => { refused.push(message.text()) })
  const requested: string[] = []
  page.on('request', request => { requested.push(request.url()) })
  await page.goto(link)
  t.equal(await page.inputValue('[name=username]'), person.email)
  t.equal(await page.locator('[name=newPassword]:focus').count(), 1, 'the field has the focus')
  if (process.env.SCREENSHOT) await page.screenshot({ path: `${process.env.SCREENSHOT}-form.png` })

  await page.fill('[name=newPassword]', 'password')
  await page.click('button')
  t.match(await page.title(), /^Error: /)
  t.equal(await page.textContent('#objection'), 'This password is too common.')
  t.notMatch(page.url(), mail?.token, 'the token is in no address from here on')
  if (process.env.SCREENSHOT) await page.screenshot({ path: `${process.env.SCREENSHOT}-refused.png` })

  await page.fill('[name=newPassword]', NEW)
  await page.click('button')
  t.match(await page.textContent('[role=status]'), /has been changed/)
  if (process.env.SCREENSHOT) await page.screenshot({ path: `${process.env.SCREENSHOT}-done.png` })
  t.ok((await service.logIn({ ...person, password: NEW })).accessToken)

  t.strictSame(refused.filter(text => /Content Security Policy|Refused/.test(text)), [], 'the policy is in nobody\'s way')
  t.strictSame(requested.filter(url => !url.startsWith(`http://localhost:${port}/`)), [], 'nothing is loaded from elsewhere')
})
