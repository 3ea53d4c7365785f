import t from 'tap'
import { ConfigurationError, readConfig } from '../../src/config.ts'
import { generateSecret } from '../../src/config/generated-secrets.ts'

const SECRETS = { COUNTERSIGN_SECRET: generateSecret(), JWT_SECRET: generateSecret() }
const limitsOf = (limits?: string) => readConfig({ ...SECRETS, ...limits !== undefined && { RATE_LIMITS: limits } }).rateLimits

function problemsOf (limits: string): unknown {
  try {
    return limitsOf(limits)
  } catch (error) {
    return error instanceof ConfigurationError ? error.problems : error
  }
}

t.test('what RATE_LIMITS names differs from the default, and nothing else does', async t => {
  const byDefault = limitsOf()
  t.strictSame(limitsOf('login=10/2m+40/1h, provider=off,lock=50'), { ...byDefault, login: [{ limit: 10, seconds: 120 }, { limit: 40, seconds: 3600 }], provider: [], lock: 50 })
  t.strictSame(limitsOf('lock=off'), { ...byDefault, lock: 0 })
  for (const [rule, windows] of Object.entries(limitsOf('off'))) t.strictSame(windows, rule === 'lock' ? 0 : [], rule)
  t.strictSame(Object.keys(limitsOf('off')).sort(), Object.keys(byDefault).sort())
})

t.test('what cannot be read fails the start, and says why', async t => {
  const problems = {
    'logn=5/1m': /unknown limit "logn" \(known are login, network/,
    'constructor=5/1m': /unknown limit "constructor"/,
    'login=5/1m,login=6/1m': /sets "login" twice/,
    'lock=off,lock=5': /sets "lock" twice/,
    'login=5': /"login" to off or hits by period/,
    'login=0/1m': /"login" to off or hits by period/,
    'login=5/2d': /"login" to off or hits by period/,
    'login=1/1s+1/1m+1/1h+1/1d': /"login" to at most 3 periods/,
    'lock=101': /"lock" to off or a whole number from 1 to 100/,
    login: /"login" is neither/
  }
  for (const [limits, problem] of Object.entries(problems)) {
    t.match(problemsOf(limits), [{ variable: 'RATE_LIMITS', problem }], limits)
  }
})
