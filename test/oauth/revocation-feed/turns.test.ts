import t from 'tap'
import { createEventLog } from '../../../src/oauth/revocation-feed/event-log.ts'
import { createTurns } from '../../../src/oauth/revocation-feed/turns.ts'

t.test('turns', async t => {
  t.test('are granted up to a number, and then as others end', async t => {
    const { take } = createTurns(2)
    const [first, second, third] = [take('a'), take('a'), take('a')]
    t.strictSame([first, second, third].map(({ isGranted }) => isGranted), [true, true, false])
    first.release()
    first.release()
    await third.granted
    t.equal(take('a').isGranted, false, 'one that is ended twice makes room once')
  })

  t.test('go to the client with the fewest, so that none holds up another', async t => {
    const { take } = createTurns(2)
    const many = Array.from({ length: 100 }, () => take('a'))
    const one = take('b')
    many[0]?.release()
    t.equal(one.isGranted, true, 'though a hundred were before it')
    t.equal(many.filter(({ isGranted }) => isGranted).length, 2)
  })

  t.test('are not granted to those who no longer wait', async t => {
    const { take } = createTurns(1)
    const [first, gone, next] = [take('a'), take('b'), take('c')]
    gone.release()
    first.release()
    t.strictSame([gone.isGranted, next.isGranted], [false, true])
  })
})

t.test('the log keeps what was last, up to a number of bytes', async t => {
  const log = createEventLog(30)
  const texts = Array.from({ length: 50 }, (_, index) => String(index).padStart(10, '0'))
  for (const text of texts) log.append(Buffer.from(text))
  t.equal(log.end, 50)
  t.strictSame([46, 47].map(log.covers), [false, true])
  t.strictSame([47, 48, 49, 50].map(position => log.read(position)?.toString()), [...texts.slice(-3), undefined])
})
