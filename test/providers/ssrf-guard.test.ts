import t from 'tap'
import { createSsrfGuard } from '../../src/providers/ssrf-guard.ts'

const isAllowed = createSsrfGuard(['https://login.acme.example'])

t.test('public addresses are allowed', async t => {
  for (const host of ['login.acme.example', 'keys.example', '8.8.8.8', '[2606:4700::1111]', '[64:ff9c::1]', '[100:1::1]']) t.ok(isAllowed(new URL(`https://${host}/keys`)), host)
})

t.test('internal addresses are refused, in every notation', async t => {
  for (const host of [
    '127.0.0.1', '10.0.0.1', '169.254.169.254', '192.0.0.8', '198.18.0.1', '198.19.255.255', 'localhost', '[::1]', '[fd00::1]', '[fe80::1]', '[::ffff:169.254.169.254]',
    // Translated to IPv4, tunnelled in IPv4, compatible with IPv4, and discarded.
    '[64:ff9b::a9fe:a9fe]', '[64:ff9b:1::a00:1]', '[2002:a9fe:a9fe::]', '[::169.254.169.254]', '[::a00:1]', '[100::1]'
  ]) t.notOk(isAllowed(new URL(`https://${host}/keys`)), host)
})
