import t from 'tap'
import type { AttemptKey, AttemptOutcome } from '../../src/limits/attempt-store.ts'
import { unique } from '../support/redis.ts'
import { stores } from './attempt-stores.ts'

function first ({ keys: [state] }: AttemptOutcome) {
  if (state === undefined) throw new Error('No key was judged')
  return state
}

const keyOf = (windows: AttemptKey['windows'], isDelayed = false): AttemptKey => ({ key: `test:${unique()}`, windows, isDelayed })

for (const { name, options, open } of stores) {
  t.test(`attempts counted in ${name}`, options, async t => {
    const { store, other, age, read, count, expiresIn, resolution } = await open(t)
    const tryOnce = (...keys: AttemptKey[]) => store.reserve(keys)

    async function fill (key: AttemptKey, count: number): Promise<void> {
      for (let i = 0; i < count; i++) await store.reserve([key])
    }

    t.test('a window admits its number, and then says how long to wait', async t => {
      const key = keyOf([{ limit: 3, seconds: 60 }])
      for (const used of [1, 2, 3]) {
        const outcome = await tryOnce(key)
        const { wait, windows: [window = { used: 0, freesIn: 0 }] } = first(outcome)
        t.equal(outcome.isAdmitted, true)
        t.equal(wait, 0)
        t.equal(window.used, used)
        t.ok(window.freesIn > 50 && window.freesIn <= 60)
      }
      const refused = await tryOnce(key)
      t.equal(refused.isAdmitted, false)
      t.ok(first(refused).wait > 50 && first(refused).wait <= 60)
      t.equal(first(refused).windows[0]?.used, 3)
    })

    t.test('a hit leaves its window after the period, one by one', async t => {
      const key = keyOf([{ limit: 2, seconds: 60 }])
      await fill(key, 1)
      await age(key.key, 40)
      await fill(key, 1)
      await age(key.key, 15)
      t.equal((await tryOnce(key)).isAdmitted, false, '55 and 15 s old')
      await age(key.key, 6)
      t.equal((await tryOnce(key)).isAdmitted, true, '61 and 21 s old')
      t.equal((await tryOnce(key)).isAdmitted, false, '21 and 0 s old')
    })

    t.test('no window of any position exceeds its number', async t => {
      const key = keyOf([{ limit: 3, seconds: 0.05 }, { limit: 10, seconds: 0.4 }])
      const stamps: number[] = []
      while (stamps.length < 40) {
        const outcome = await tryOnce(key)
        if (outcome.isAdmitted) stamps.push(first(outcome).stamp / resolution)
        else await age(key.key, name === 'memory' ? 0.005 : 0)
      }
      for (const { limit, seconds } of key.windows) {
        t.ok(stamps.every((stamp, index) => (stamps[index + limit] ?? Infinity) - stamp >= seconds - 1e-5), `${limit} in ${seconds} s`)
      }
    })

    t.test('the fullest of several windows decides', async t => {
      const key = keyOf([{ limit: 2, seconds: 60 }, { limit: 4, seconds: 3600 }])
      await fill(key, 2)
      t.equal((await tryOnce(key)).isAdmitted, false)
      await age(key.key, 61)
      await fill(key, 2)
      await age(key.key, 61)
      const refused = await tryOnce(key)
      t.equal(refused.isAdmitted, false)
      t.ok(first(refused).wait > 3400)
      t.same(first(refused).windows.map(({ used }) => used), [0, 4])
    })

    t.test('several keys admit an attempt together or not at all, and a refused one writes nothing', async t => {
      const [wide, narrow, fresh] = [keyOf([{ limit: 10, seconds: 60 }]), keyOf([{ limit: 1, seconds: 60 }]), keyOf([{ limit: 1, seconds: 60 }])]
      t.equal((await tryOnce(wide, narrow)).isAdmitted, true)
      const before = await Promise.all([wide, narrow].map(({ key }) => read(key)))
      const { isAdmitted, keys } = await tryOnce(wide, narrow, fresh)
      t.equal(isAdmitted, false)
      t.same(keys.map(({ wait }) => wait > 0), [false, true, false])
      t.same(await Promise.all([wide, narrow].map(({ key }) => read(key))), before)
      t.equal((await tryOnce(fresh)).keys[0]?.windows[0]?.used, 1)
    })

    t.test('a hit that is given back counts no more, and no other hit does', async t => {
      const key = keyOf([{ limit: 2, seconds: 60 }])
      const admitted = first(await tryOnce(key))
      await tryOnce(key)
      await store.giveBack([{ key: key.key, stamp: admitted.stamp }])
      t.equal((await tryOnce(key)).keys[0]?.windows[0]?.used, 2)
      await store.giveBack([{ key: key.key, stamp: admitted.stamp }])
      t.equal((await tryOnce(key)).isAdmitted, false)
      await store.giveBack([{ key: `test:${unique()}`, stamp: 1 }])
    })

    t.test('nothing is kept of a key whose hits were all given back', async t => {
      const keys = [keyOf([{ limit: 2, seconds: 60 }]), keyOf([{ limit: 2, seconds: 60 }])]
      const names = keys.map(({ key }) => key)
      const before = await count(names)
      const [one, two] = [await tryOnce(...keys), await tryOnce(...keys)]
      const giveBack = (outcome: AttemptOutcome) => store.giveBack(outcome.keys.map(({ stamp }, index) => ({ key: names[index] ?? '', stamp })))
      await giveBack(one)
      t.equal(await count(names), before + 2)
      await giveBack(two)
      t.equal(await count(names), before)
      const outcomes = await Promise.all(Array.from({ length: 40 }, async (_, i) => {
        const outcome = await (i % 2 === 0 ? store : other).reserve(keys)
        if (outcome.isAdmitted) await giveBack(outcome)
        return outcome.isAdmitted
      }))
      t.ok(outcomes.filter(Boolean).length >= 2)
      t.equal(await count(names), before)
    })

    t.test('what is forgotten begins anew', async t => {
      const [key, kept] = [keyOf([{ limit: 1, seconds: 60 }]), keyOf([{ limit: 1, seconds: 60 }])]
      await tryOnce(key, kept)
      await store.forget([key.key])
      t.equal((await tryOnce(key)).isAdmitted, true)
      t.equal((await tryOnce(kept)).isAdmitted, false)
    })

    t.test('the delay grows from the fifth hit of an hour: 1, 2, 4 and at last 900 s', async t => {
      const key = keyOf([{ limit: 1_000, seconds: 60 }], true)
      await fill(key, 5)
      for (const delay of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
        const refused = await tryOnce(key)
        t.equal(refused.isAdmitted, false)
        t.ok(first(refused).wait > delay - 0.9 && first(refused).wait <= delay, `${delay} s`)
        await age(key.key, delay)
        t.equal((await tryOnce(key)).isAdmitted, true)
      }
      await age(key.key, 3600)
      await fill(key, 4)
      t.equal((await tryOnce(key)).isAdmitted, true, 'an hour later it begins anew')
    })

    t.test('of a hundred attempts at once exactly as many are admitted as the limit says', async t => {
      for (let round = 0; round < 10; round++) {
        const [network, account] = [keyOf([{ limit: 7, seconds: 60 }]), keyOf([{ limit: 5, seconds: 60 }])]
        const outcomes = await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? store : other).reserve([network, account])))
        t.equal(outcomes.filter(({ isAdmitted }) => isAdmitted).length, 5)
        t.equal((await tryOnce(network)).keys[0]?.windows[0]?.used, 6)
      }
    })

    t.test('every key expires after its longest window, in Postgres after twice as long', async t => {
      const most = name === 'Postgres' ? 2 : 1
      const [key, delayed] = [keyOf([{ limit: 5, seconds: 60 }]), keyOf([{ limit: 5, seconds: 60 }], true)]
      const { keys } = await tryOnce(key, delayed)
      t.ok(await expiresIn(key.key) > 50 && await expiresIn(key.key) <= most * 60)
      if (name !== 'memory') t.ok(await expiresIn(delayed.key) > 3500 && await expiresIn(delayed.key) <= most * 3600)
      await store.giveBack([{ key: key.key, stamp: keys[0]?.stamp ?? 0 }])
      t.notOk(await expiresIn(key.key) === -0.001, 'there is no key without an end')
    })
  })
}
