import fc from 'fast-check'
import t from 'tap'
import { COMMON_PASSWORDS } from '../../src/passwords/common-passwords-list.ts'
import { assessPassword } from '../../src/passwords/policy.ts'

const ADA = { email: 'ada.lovelace@engines.example.com', name: 'Ada King', serviceNames: ['Countersign'] }
const codeOf = (password: string, context = {}) => assessPassword(password, { ...ADA, ...context })?.code

t.test('length counts in code points, and the maximum in bytes too', async t => {
  t.equal(codeOf('x8!kQz0'), 'too_short')
  t.equal(codeOf('x8!kQz0p'), undefined)
  t.equal(codeOf(''), 'too_short')
  t.equal(codeOf('🐎🐄🐖🐑🐐🐓🐇'), 'too_short', 'seven characters, in fourteen code units')
  t.equal(codeOf('🐎🐄🐖🐑🐐🐓🐇🦆'), undefined)
  t.equal(codeOf('x8!kQz0p', { minLength: 15 }), 'too_short')
  t.match(assessPassword('x8!kQz0p', { ...ADA, minLength: 15 }), { message: /15 characters/ })

  const varied = (units: string[], length: number) => Array.from({ length }, (_, n) => units[(n * n + (n >> 3)) % units.length]).join('')
  t.equal(codeOf(varied(['a', 'q', '7', ' '], 128)), undefined)
  t.equal(codeOf(varied(['a', 'q', '7', ' '], 129)), 'too_long')
  t.equal(codeOf(varied(['🐎', '🐄', '🐖'], 128)), undefined, '512 bytes')
  t.equal(codeOf(varied(['🐎', '🐄', '🐖'], 129)), 'too_long')
  t.equal(codeOf('x'.repeat(100_000)), 'too_long')
})

t.test('any characters are welcome, spaces and controls included', async t => {
  for (const password of ['        x', 'correct horse battery staple', '\u0000\u0001\u0002nul\u0003\u0004x', 'пароль на севере', '密碼很長很長很長', 'a\u0301e\u0301i\u0301o\u0301']) {
    t.equal(codeOf(password), undefined, JSON.stringify(password))
  }
})

t.test('a lone surrogate is refused, since it would be hashed like every other', async t => {
  for (const password of ['correct \ud83d horse', '\udc0ecorrect horse', 'correct horse\ud83d']) t.equal(codeOf(password), 'malformed')
})

t.test('common passwords are refused, whatever their case', async t => {
  for (const password of ['password', 'PASSWORD', 'Password1', 'iloveyou', 'qwertyuiop', '1q2w3e4r', 'trustno1', 'baseball1', 'welcome123', 'pa$$w0rd']) {
    t.equal(codeOf(password), 'too_common', password)
  }
})

t.test('repetitions and runs are refused too', async t => {
  for (const password of ['aaaaaaaa', '        ', '12341234', 'abcabcabc', '🐎🐎🐎🐎🐎🐎🐎🐎', '12345678', '87654321', '01234567', 'abcdefgh', 'ZYXWVUTS', 'asdfghjk', '7890123456']) {
    t.equal(codeOf(password), 'too_common', password)
  }
})

t.test('the bundled list has over 3,000 entries that the minimum does not refuse already', async t => {
  const entries = COMMON_PASSWORDS.split(' ')
  t.ok(new Set(entries).size >= 3000)
  t.equal(new Set(entries).size, entries.length)
  t.strictSame(entries.filter(entry => [...entry].length < 8 || entry !== entry.toLowerCase()), [])
  t.ok(entries.every(entry => codeOf(entry, { email: '', name: '' }) === 'too_common'))
})

t.test('what is made of the address, the name or the service is refused', async t => {
  const made: Record<string, string[]> = {
    contains_email: [
      'ada.lovelace@engines.example.com', 'ADA.LOVELACE', 'ada.lovelace1', 'Lovelace1815!', '!!lovelace!!', 'adalovelace', 'ada-lovelace-1815', 'lovelaceada',
      'engines.example.com', 'example1', 'Engines2024', 'ada.ada.ada', 'ada@example'
    ],
    contains_name: ['King1815!', 'king.king'],
    contains_service_name: ['countersign', 'Countersign1!', 'COUNTERSIGN', '2024countersign', 'countersigncountersign']
  }
  for (const [code, passwords] of Object.entries(made)) for (const password of passwords) t.equal(codeOf(password), code, password)
  t.ok(codeOf('ada-countersign-1'), 'also when made of several')
  t.equal(codeOf('13912345678', { email: '13912345678@mail.example' }), 'contains_email', 'a number as a local part')
  t.equal(codeOf('j4ne.d0e99', { email: 'j4ne.d0e@mail.example' }), 'contains_email', 'digits within a word')
  t.equal(codeOf('Bücherwurm1', { email: 'ada@xn--bcherwurm-q9a.example' }), 'contains_email', 'a domain as its owner writes it')
})

t.test('what is made of the name of the service, in one word or several, is refused', async t => {
  const judged = (password: string, ...serviceNames: string[]) => assessPassword(password, { serviceNames: [...serviceNames, 'countersign'] })?.code
  for (const password of ['zebrashop', 'zebra-shop', 'Zebra Shop 1', 'shop.zebra', 'zebrazebra', '2026 Zebra!', 'zebracountersign', 'countersign']) t.equal(judged(password, 'Zebra Shop'), 'contains_service_name', password)
  for (const password of ['auth.zebra.example', 'zebra.example', 'Zebra2026!']) t.equal(judged(password, 'auth.zebra.example'), 'contains_service_name', password)
  for (const password of ['qbank123', 'Q Bank 2026']) t.equal(judged(password, 'Q Bank'), 'contains_service_name', password)
  t.equal(judged('a zebra in the shop', 'Zebra Shop'), undefined)
  for (const name of ['X', 'Go', '42', '7', '.']) for (const password of ['xgxgxgxg7', 'gogogadget', '4242 is it', '82734619', 'x-x-x-x-9']) t.equal(judged(password, name), undefined, `${password} at ${name}`)
})

t.test('what merely contains such a word is not', async t => {
  for (const password of ['adamantine claws', 'ada likes long walks', 'countersigned by nobody', '84ada72x13', 'lovelacework of stars', 'my example of a phrase']) {
    t.equal(codeOf(password), undefined, password)
  }
  t.equal(codeOf('82734619', { email: '123@mail.example' }), undefined)
  t.equal(codeOf('xq123vkk', { email: 'x@q.io', name: 'V' }), undefined, 'words of one or two letters spoil nothing')
  t.equal(codeOf('𐐀𐐁𐐂𐐃𐐄𐐅𐐆𐐇𐐈'), undefined, 'letters beyond the basic plane are letters')
})

t.test('an account without name or address is held against the rest', async t => {
  t.equal(assessPassword('Countersign1!', { serviceNames: ['Countersign'] })?.code, 'contains_service_name')
  t.equal(assessPassword('correct horse', { serviceNames: [''] }), undefined)
  t.equal(assessPassword('correct horse', { email: '@', name: ' ', serviceNames: ['(*'] }), undefined)
})

t.test('no message repeats the password, and any text gets an answer', async t => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 140 }), fc.string(), fc.emailAddress(), (password, name, email) => {
    const objection = assessPassword(password, { email, name, serviceNames: ['Countersign'] })
    const long = [...password].length >= 8
    return objection === undefined ? long : password.length < 8 || !objection.message.includes(password)
  })))
})

t.test('words around which only digits and punctuation stand are always found', async t => {
  const rest = fc.string({ unit: fc.constantFrom(...'0123456789!.-_ #'), maxLength: 12 })
  t.doesNotThrow(() => fc.assert(fc.property(rest, fc.constantFrom('Ada', 'LOVELACE', 'engines', 'King', 'Countersign'), rest, (before, word, after) =>
    codeOf(before + word + after) !== undefined)))
})

t.test('an answer is quick, even to a hostile password', async t => {
  const email = `${'a.aa.aaa.aaaa.aaaaa.aaaaaa.aaaaaaa'}@aaaaaaaa.example`
  const start = performance.now()
  for (let n = 0; n < 100; n++) codeOf(`${'a'.repeat(126)}bc`, { email })
  t.ok(performance.now() - start < 500)
})
