import fc from 'fast-check'
import t from 'tap'
import { generateSecret } from '../../src/config/generated-secrets.ts'
import { deriveKeyRing } from '../../src/tokens/derived-keys.ts'
import { createEncryption } from '../../src/tokens/encryption.ts'

const [old, current] = [generateSecret(), generateSecret()]
const encryption = createEncryption(deriveKeyRing([current], 'flow'))

t.test('what was encrypted comes back, whatever it is', async t => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => encryption.decrypt(encryption.encrypt(text, context), context) === text))
  t.not(encryption.encrypt('the same', 'x'), encryption.encrypt('the same', 'x'), 'and never looks the same twice')
})

t.test('one character changed, cut off or added, and nothing comes back', async t => {
  const encrypted = encryption.encrypt('a text of some length', 'context')
  const bytes = (text: string) => Buffer.from(text.split('.')[1] ?? '', 'base64url')
  for (let place = 0; place < encrypted.length; place++) {
    const changed = encrypted.slice(0, place) + (encrypted[place] === 'A' ? 'B' : 'A') + encrypted.slice(place + 1)
    // The last character has bits that no byte is made of.
    if (changed.startsWith(encrypted.slice(0, 12)) && bytes(changed).equals(bytes(encrypted))) continue
    t.equal(encryption.decrypt(changed, 'context'), undefined, changed)
  }
  for (const wrong of ['', '.', encrypted.slice(0, 12), encrypted.slice(0, -4), `${encrypted}AAAA`, encrypted.slice(12)]) t.equal(encryption.decrypt(wrong, 'context'), undefined, wrong)
})

t.test('what is of another place or purpose cannot be read', async t => {
  const encrypted = encryption.encrypt('secret', 'here')
  t.equal(encryption.decrypt(encrypted, 'there'), undefined)
  t.equal(createEncryption(deriveKeyRing([current], 'provider-token')).decrypt(encrypted, 'here'), undefined)
})

t.test('every secret of the ring decrypts, the first encrypts, and one that was dropped opens nothing', async t => {
  const before = createEncryption(deriveKeyRing([old], 'flow'))
  const both = createEncryption(deriveKeyRing([current, old], 'flow'))
  const encrypted = before.encrypt('kept', 'x')
  t.equal(both.decrypt(encrypted, 'x'), 'kept')
  t.ok(both.encrypt('new', 'x').startsWith(`${encryption.keyId}.`))
  t.equal(encryption.decrypt(encrypted, 'x'), undefined)
})
