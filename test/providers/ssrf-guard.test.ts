import t from 'tap'
import { createSsrfGuard } from '../../src/providers/ssrf-guard.ts'

const guard = createSsrfGuard(['https://login.acme.example'])

t.test('public hosts are allowed, at public addresses', async t => {
  for (const host of ['keys.example', '8.8.8.8', '[2606:4700::1111]', '[64:ff9b::8.8.8.8]']) {
    const isAllowed = guard(new URL(`https://${host}/keys`))
    t.strictSame(['8.8.8.8', '127.0.0.1', '10.0.0.1', '198.18.0.1', '2001::1'].map(address => isAllowed?.(address)), [true, false, false, false, false], host)
  }
})

t.test('the configured origin is allowed, wherever it is', async t => {
  t.equal(guard(new URL('https://login.acme.example/keys'))?.('10.0.0.1'), true)
  t.equal(guard(new URL('https://login.acme.example:8443/keys'))?.('10.0.0.1'), false)
})

t.test('a provider on this machine is allowed on this machine, and nowhere else', async t => {
  const local = createSsrfGuard(['http://127.0.0.1:4000'])
  for (const url of ['http://localhost:4001/keys', 'https://127.0.0.1/keys', 'http://[::1]:4001/keys']) {
    const isAllowed = local(new URL(url))
    t.strictSame(['127.0.0.1', '::1', '10.0.0.1', '8.8.8.8'].map(address => isAllowed?.(address)), [true, true, false, false], url)
  }
  for (const url of ['https://keys.example/', 'http://10.0.0.1/', 'https://8.8.8.8/']) t.equal(local(new URL(url)), undefined, url)
})

t.test('internal addresses are refused, in every notation', async t => {
  for (const host of [
    '127.0.0.1', '10.0.0.1', '169.254.169.254', '192.0.0.8', '198.18.0.1', '198.19.255.255', 'localhost', 'localhost.', 'localhost..', 'a.localhost', '[::1]', '[fd00::1]', '[fe80::1]', '[::ffff:169.254.169.254]',
    '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '127.0.0.1.', '168.63.129.16',
    // Translated to IPv4, tunnelled in IPv4, compatible with IPv4, and discarded.
    '[64:ff9b::a9fe:a9fe]', '[64:ff9b:1::a00:1]', '[2002:a9fe:a9fe::]', '[2001:0:4136:e378:8000:63bf:80ff:fffe]', '[::169.254.169.254]', '[::a00:1]', '[100::1]'
  ]) t.equal(guard(new URL(`https://${host}/keys`)), undefined, host)
})

t.test('only https is allowed', async t => {
  for (const url of ['http://keys.example/', 'file:///etc/passwd', 'data:application/json,{}', 'gopher://127.0.0.1:6379/_FLUSHALL', 'ftp://keys.example/']) t.equal(guard(new URL(url)), undefined, url)
})
