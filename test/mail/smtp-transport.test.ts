import { createServer, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { createPause } from '../../src/mail/pause.ts'
import { freePort } from '../support/free-port.ts'
import { mailTo, selfSigned, startSmtp, transportTo, type Stage } from './smtp.ts'

t.test('a message arrives as it was written, and can be recognised', async t => {
  const { server, received } = await startSmtp(t)
  const { send, logged } = transportTo(t, server)
  const mail = mailTo('ada@example.com', { subject: 'Schöne Grüße, « Ada »', text: 'Grüße\n.\nEnde\n', html: '<p>Grüße</p>' })
  t.strictSame(await send(mail), { outcome: 'delivered' })
  const [{ mail: parsed, ...envelope } = { mail: undefined }] = received
  t.match(envelope, { from: 'no-reply@shop.example', to: ['ada@example.com'] })
  t.match(parsed, { subject: mail.subject, text: mail.text, html: mail.html, messageId: `<${mail.id}@shop.example>`, from: { value: [mail.from] }, to: { value: [{ address: 'ada@example.com' }] } })
  t.equal(parsed?.headers.get('auto-submitted'), 'auto-generated')
  t.equal(parsed?.headers.has('list-unsubscribe'), false)
  t.strictSame(parsed?.attachments, [])
  t.strictSame(logged, [])
})

t.test('whatever an address or a header holds, there is one recipient and no other header', async t => {
  const { server, received } = await startSmtp(t)
  const { send } = transportTo(t, server)
  const hostile = 'Hi\r\nBcc: eve@example.com\r\n\r\nbody'
  await send(mailTo('ada@example.com', { subject: hostile, from: { name: 'a, b <eve@example.com>\r\nBcc: eve@example.com', address: 'no-reply@shop.example' } }))
  for (const address of ['ada@example.com, eve@example.com', 'ada@example.com\r\nRCPT TO:<eve@example.com>', '<eve@example.com>,ada@example.com', 'ada@example.com>']) {
    const sent = await send(mailTo(address))
    t.not(sent.outcome, 'retry', `${JSON.stringify(address)} is decided once`)
  }
  for (const { to, mail } of received) {
    t.equal(to.length, 1)
    t.notOk(to.includes('eve@example.com'))
    t.equal(mail.bcc, undefined)
    t.equal(mail.from?.value.length, 1)
  }
  t.ok(received.length > 0)
})

t.test('a local part beyond ASCII is sent as it is (SMTPUTF8)', async t => {
  const able = await startSmtp(t)
  t.strictSame(await transportTo(t, able.server).send(mailTo('bücher@example.com')), { outcome: 'delivered' })
  t.strictSame(able.received[0]?.to, ['bücher@example.com'])
})

const DECIDED: Array<[stage: Stage, code: number, outcome: string]> = [
  ['greeting', 421, 'retry'], ['greeting', 554, 'paused'],
  ['AUTH', 454, 'retry'], ['AUTH', 535, 'paused'],
  ['MAIL FROM', 451, 'retry'], ['MAIL FROM', 550, 'paused'],
  ['RCPT TO', 450, 'retry'], ['RCPT TO', 550, 'undeliverable'],
  ['DATA', 451, 'retry'], ['DATA', 554, 'undeliverable']
]

for (const [stage, code, outcome] of DECIDED) {
  t.test(`${code} at ${stage}: ${outcome}`, async t => {
    const smtp = await startSmtp(t)
    smtp.trouble = { stage, code }
    const { send, pausedFor, logged, details } = transportTo(t, { ...smtp.server, login: { user: 'ada', password: 'hunter2' } })
    const sent = await send(mailTo('ada@example.com'))
    t.equal(sent.outcome, outcome)
    t.match('reason' in sent && sent.reason, new RegExp(`${code}`))
    t.notMatch(JSON.stringify([sent, details]), /hunter2|ada@example/, 'no secret and no address is told')
    t.equal(pausedFor() > 0, outcome === 'paused')
    await send(mailTo('ada@example.com'))
    const said = { retry: ['mail is delayed'], paused: ['mail is paused: the server takes nothing'], undeliverable: [] }[outcome]
    t.strictSame(logged, said, 'and said once')

    smtp.trouble = undefined
    t.strictSame(await send(mailTo('ada@example.com')), { outcome: 'delivered' })
    t.equal(pausedFor(), 0)
    t.strictSame(logged, [...said ?? [], ...said?.length ? ['mail is sent again'] : []])
  })
}

t.test('five different recipients refused in a row are a quota, which pauses; one of them time and again is not', async t => {
  const smtp = await startSmtp(t)
  const { send, pausedFor, logged } = transportTo(t, smtp.server)
  smtp.trouble = { stage: 'RCPT TO', code: 550 }
  for (let count = 0; count < 6; count++) t.match(await send(mailTo('nobody@example.com')), { outcome: 'undeliverable' })
  for (const name of ['b', 'c', 'd']) t.match(await send(mailTo(`${name}@example.com`)), { outcome: 'undeliverable' })
  t.equal(pausedFor(), 0)
  t.match(await send(mailTo('e@example.com')), { outcome: 'paused' })
  t.ok(pausedFor() > 0)
  t.strictSame(logged, ['mail is paused: the server takes nothing'])

  smtp.trouble = undefined
  t.match(await send(mailTo('e@example.com')), { outcome: 'delivered' })
  smtp.trouble = { stage: 'RCPT TO', code: 550 }
  for (const name of ['a', 'b', 'c', 'd']) t.match(await send(mailTo(`${name}@example.com`)), { outcome: 'undeliverable' }, 'the row began anew')
})

t.test('the row of refused recipients lasts until something is delivered: each later refusal pauses again, whosever it is', async t => {
  const smtp = await startSmtp(t)
  const { send, pausedFor, logged } = transportTo(t, smtp.server)
  smtp.trouble = { stage: 'RCPT TO', code: 552 }
  const outcomes: string[] = []
  for (let count = 0; count < 12; count++) outcomes.push((await send(mailTo(`ada-${count}@example.com`))).outcome)
  t.strictSame(outcomes, [...Array<string>(4).fill('undeliverable'), ...Array<string>(8).fill('paused')])
  t.match(await send(mailTo('ada-0@example.com')), { outcome: 'paused' })
  smtp.trouble = { stage: 'RCPT TO', code: 450 }
  t.match(await send(mailTo('ada-0@example.com')), { outcome: 'retry' })
  smtp.trouble = { stage: 'MAIL FROM', code: 550 }
  t.match(await send(mailTo('ada-0@example.com')), { outcome: 'paused' })
  smtp.trouble = { stage: 'RCPT TO', code: 552 }
  t.match(await send(mailTo('ada-0@example.com')), { outcome: 'paused' }, 'what was no delivery ends no row')
  t.ok(pausedFor() > 0)
  t.strictSame(logged, ['mail is paused: the server takes nothing', 'mail is delayed', 'mail is paused: the server takes nothing'])

  smtp.trouble = { stage: 'RCPT TO', code: 550, of: recipient => recipient === 'gone@example.com' }
  t.match(await send(mailTo('gone@example.com')), { outcome: 'paused' })
  t.match(await send(mailTo('bob@example.com')), { outcome: 'delivered' })
  t.match(await send(mailTo('gone@example.com')), { outcome: 'undeliverable' }, 'of one that is refused for good it is found once others are taken')
})

t.test('after a pause one message tries first: a wrong password is not tried many times at once', async t => {
  const smtp = await startSmtp(t)
  smtp.trouble = { stage: 'AUTH', code: 535 }
  const { send } = transportTo(t, { ...smtp.server, login: { user: 'ada', password: 'hunter2' } })
  t.match(await send(mailTo('ada@example.com')), { outcome: 'paused' })
  t.equal(smtp.reached.AUTH, 1)
  const all = () => Promise.all(Array.from({ length: 10 }, (_, count) => send(mailTo(`ada-${count}@example.com`))))
  for (const { outcome } of await all()) t.equal(outcome, 'paused')
  t.equal(smtp.reached.AUTH, 2)
  smtp.trouble = undefined
  t.equal((await all()).filter(({ outcome }) => outcome === 'delivered').length, 1)
  t.equal((await all()).filter(({ outcome }) => outcome === 'delivered').length, 10)
})

t.test('a server that hangs is given up when the attempt\'s time is over, and the next attempt goes on', async t => {
  for (const stage of ['AUTH', 'MAIL FROM', 'RCPT TO', 'DATA'] as const) {
    const smtp = await startSmtp(t)
    const { send, logged } = transportTo(t, { ...smtp.server, login: { user: 'ada', password: 'hunter2' } })
    smtp.trouble = { stage }
    t.match(await send(mailTo('ada@example.com'), AbortSignal.timeout(300)), { outcome: 'retry' }, stage)
    t.strictSame(logged, ['mail is delayed'])
    smtp.trouble = undefined
    t.strictSame(await send(mailTo('ada@example.com')), { outcome: 'delivered' }, stage)
  }
})

t.test('a server that does not greet is given up after 5 s', async t => {
  const sockets = new Set<Socket>()
  const silent = createServer(socket => { sockets.add(socket) })
  await new Promise<void>(resolve => { silent.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { for (const socket of sockets) socket.destroy(); silent.close() })
  const { send } = transportTo(t, { host: '127.0.0.1', port: (silent.address() as AddressInfo).port, tls: 'none' })
  t.match(await send(mailTo('ada@example.com')), { outcome: 'retry', reason: /[Gg]reeting|ETIMEDOUT/ })
})

t.test('no server, or one that hangs up, is tried again', async t => {
  const gone = transportTo(t, { host: '127.0.0.1', port: await freePort(), tls: 'none' })
  t.match(await gone.send(mailTo('ada@example.com')), { outcome: 'retry', reason: /ECONNREFUSED/ })
  const rude = createServer(socket => socket.destroy())
  await new Promise<void>(resolve => { rude.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { rude.close() })
  const { send, logged } = transportTo(t, { host: '127.0.0.1', port: (rude.address() as AddressInfo).port, tls: 'none' })
  t.match(await send(mailTo('ada@example.com')), { outcome: 'retry' })
  t.match(await send(mailTo('ada@example.com')), { outcome: 'retry' })
  t.strictSame(logged, ['mail is delayed'])
  t.match(await transportTo(t, { host: 'no-such-host.invalid', port: 25, tls: 'none' }).send(mailTo('ada@example.com')), { outcome: 'retry' })
})

t.test('where STARTTLS is required and not offered, nothing is sent, not even the password', async t => {
  const lines: string[] = []
  const plain = createServer(socket => {
    socket.on('error', () => {})
    socket.write('220 plain\r\n')
    socket.on('data', data => {
      lines.push(data.toString())
      socket.write(data.toString().startsWith('EHLO') ? '250-plain\r\n250 AUTH PLAIN LOGIN\r\n' : '502 not implemented\r\n')
    })
  })
  await new Promise<void>(resolve => { plain.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { plain.close() })
  const { send, logged, pausedFor } = transportTo(t, { host: '127.0.0.1', port: (plain.address() as AddressInfo).port, tls: 'starttls', login: { user: 'ada', password: 'hunter2' } })
  t.match(await send(mailTo('ada@example.com')), { outcome: 'paused', reason: /STARTTLS/ })
  t.ok(pausedFor() > 0)
  t.strictSame(logged, ['mail is paused: the server takes nothing'])
  t.notMatch(lines.join(''), /AUTH|MAIL FROM/)
})

t.test('a certificate that nobody vouches for pauses; one that is trusted is fine, from the first byte and by STARTTLS', async t => {
  const { key, cert } = await selfSigned(t, '127.0.0.1')
  for (const tls of ['implicit', 'starttls'] as const) {
    const smtp = await startSmtp(t, { tls, secure: tls === 'implicit', key, cert })
    const untrusted = transportTo(t, smtp.server)
    t.match(await untrusted.send(mailTo('ada@example.com')), { outcome: 'paused', reason: /certificate/ }, tls)
    t.strictSame(untrusted.logged, ['mail is paused: the server takes nothing'])
    t.equal(smtp.received.length, 0)
    t.strictSame(await transportTo(t, smtp.server, cert).send(mailTo('ada@example.com')), { outcome: 'delivered' }, tls)
    t.equal(smtp.received.length, 1)
  }
})

t.test('a pause doubles from 1 s to 60 s, once however many fail at once, and begins anew after a success', async t => {
  let now = 0
  const pause = createPause(() => now)
  t.equal(pause.remaining(), 0)
  for (const length of [1, 2, 4, 8, 16, 32, 60, 60]) {
    pause.begin()
    now += 400
    pause.begin()
    t.equal(pause.remaining(), length * 1000 - 400)
    now += length * 1000
    t.equal(pause.remaining(), 0)
  }
  pause.begin()
  pause.end()
  t.equal(pause.remaining(), 0)
  pause.begin()
  t.equal(pause.remaining(), 1000)
})
