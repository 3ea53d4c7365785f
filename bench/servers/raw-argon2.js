// Nothing but argon2.verify, one at a time: what a core can do at most.
import argon2 from 'argon2'

const password = 'correct horse battery staple'
const hash = await argon2.hash(password, {
  memoryCost: Number(process.env.ARGON2_MEMORY_KIB),
  timeCost: Number(process.env.ARGON2_ITERATIONS),
  parallelism: Number(process.env.ARGON2_PARALLELISM)
})

process.on('disconnect', () => process.exit())
process.on('message', async ({ seconds }) => {
  const startedAt = performance.now()
  const end = startedAt + seconds * 1000
  let verified = 0
  while (performance.now() < end) {
    if (!await argon2.verify(hash, password)) throw new Error('argon2 refused its own hash')
    verified++
  }
  process.send({ perSecond: verified / (performance.now() - startedAt) * 1000 })
})
