const SHORTEST = 32
const WELL_KNOWN = ['your256bitsecret', 'supersecret', 'secretkey', 'jwtsecret', 'mysecret', 'yoursecret', 'topsecret', 'changeme', 'changethis',
  'replaceme', 'replacethis', 'notasecret', 'keyboardcat', 'password', 'letmein', 'shhhhh', 'secret', 'countersign', 'authentication',
  '0123456789', '1234567890', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'deadbeef']

/**
 * What is wrong with a secret, in a few words that do not repeat it; `undefined` where nothing is.
 *
 * @param secret one entry of a ring, as it stands in the variable
 */
export function findWeakness (secret: string): string | undefined {
  if (secret !== secret.trim()) return 'has white space around it'
  if (/-----BEGIN |^ssh-/.test(secret)) return 'is a PEM or SSH key, not a shared secret'
  if (secret.startsWith('{')) return 'is a JSON document, not a shared secret'
  if (Buffer.byteLength(secret) < SHORTEST) return `is shorter than ${SHORTEST} bytes`
  if (isRepetitive(secret)) return 'repeats itself'
  if (isWellKnown(secret)) return 'is a well-known example'
  return undefined
}

function isRepetitive (secret: string): boolean {
  const half = Math.floor(secret.length / 2)
  const hasPeriod = (period: number) => secret.startsWith(secret.slice(period))
  return Array.from({ length: half }, (_, index) => index + 1).some(hasPeriod) || new Set(secret).size < 8
}

// What is left when the words of tutorials are taken away must still be something.
function isWellKnown (secret: string): boolean {
  let rest = secret.toLowerCase().replace(/[^a-z0-9]/g, '')
  const full = rest.length
  for (const word of WELL_KNOWN) rest = rest.replaceAll(word, '')
  return rest.length < full && rest.length < SHORTEST / 2
}
