const MIN_BYTES = 32
const WELL_KNOWN = ['your256bitsecret', 'astringsecretatleast256bitslong', 'astringsecretatleast384bitslong', 'astringsecretatleast512bitslong', 'supersecret', 'secretkey', 'jwtsecret', 'mysecret', 'yoursecret', 'topsecret', 'changeme', 'changethis',
  'replaceme', 'replacethis', 'notasecret', 'keyboardcat', 'password', 'letmein', 'shhhhh', 'secret', 'countersign', 'authentication',
  '0123456789', '1234567890', 'abcdefghijklmnopqrstuvwxyz', 'qwertyuiop', 'deadbeef']

/**
 * @param secret one entry of a ring, as in the variable
 * @returns why a secret is weak, in a few words that do not repeat it; `undefined` if it is not
 */
export function findWeakness (secret: string): string | undefined {
  if (secret !== secret.trim()) return 'has white space around it'
  if (/-----BEGIN |^ssh-/.test(secret)) return 'is a PEM or SSH key, not a shared secret'
  if (secret.startsWith('{')) return 'is a JSON document, not a shared secret'
  if (Buffer.byteLength(secret) < MIN_BYTES) return `is shorter than ${MIN_BYTES} bytes`
  if (isRepetitive(secret)) return 'repeats itself'
  if (isWellKnown(secret)) return 'is a well-known example'
  return undefined
}

function isRepetitive (secret: string): boolean {
  const half = Math.floor(secret.length / 2)
  const hasPeriod = (period: number) => secret.startsWith(secret.slice(period))
  return Array.from({ length: half }, (_, index) => index + 1).some(hasPeriod) || new Set(secret).size < 8
}

// Without the words that tutorials use, enough must be left.
function isWellKnown (secret: string): boolean {
  let rest = secret.toLowerCase().replace(/[^a-z0-9]/g, '')
  const full = rest.length
  for (const word of WELL_KNOWN) rest = rest.replaceAll(word, '')
  return rest.length < full && rest.length < MIN_BYTES / 2
}
