import t from 'tap'
import { parseRedisUrl } from '../../src/config/redis-url.ts'

t.test('REDIS_URL names a server, a cluster, or sentinels', async t => {
  const plain = { isEncrypted: false }
  for (const [url, address] of [
    ['redis://localhost', { kind: 'server', ...plain, url: 'redis://localhost' }],
    ['rediss://:p%40ss@[::1]:6380/2?family=6', { kind: 'server', isEncrypted: true, password: 'p@ss', url: 'rediss://:p%40ss@[::1]:6380/2?family=6' }],
    ['redis://:p@ss:word@localhost', { kind: 'server', ...plain, password: 'p@ss:word', url: 'redis://:p@ss:word@localhost' }],
    ['rediss://ada:secret@a:1,[::1]:2,c', { kind: 'cluster', isEncrypted: true, username: 'ada', password: 'secret', nodes: [{ host: 'a', port: 1 }, { host: '::1', port: 2 }, { host: 'c', port: 6379 }] }],
    ['redis+sentinel://:secret@a,b:2/the-primary/3?sentinelPassword=other', { kind: 'sentinel', ...plain, password: 'secret', sentinelPassword: 'other', name: 'the-primary', db: 3, nodes: [{ host: 'a', port: 26379 }, { host: 'b', port: 2 }] }],
    ['rediss+sentinel://a/main', { kind: 'sentinel', isEncrypted: true, name: 'main', db: 0, nodes: [{ host: 'a', port: 26379 }] }]
  ] as const) t.strictSame(parseRedisUrl(url), address, url)
})

t.test('anything else is refused in words that do not repeat it', async t => {
  for (const [url, expected] of [
    ['http://:canary@a', /begins with redis:/],
    ['redis://', /begins with redis:/],
    ['redis://a:b', /begins with redis:/],
    ['redis://:canary@a,/', /begins with redis:/],
    ['redis://:canary@a,b/2', /one database alone/],
    ['redis+sentinel://:canary@a,b', /name the primary/],
    ['redis+sentinel://:canary@a,b/main/x', /name the primary/],
    ['redis+sentinel://a/main?sentinelPasword=canary', /and no others/]
  ] as const) {
    const error = t.throws(() => parseRedisUrl(url), RangeError, url) as unknown as Error
    t.match(error.message, expected)
    t.notMatch(error.message, /canary/)
  }
})
