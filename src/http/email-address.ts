import { domainToASCII, domainToUnicode } from 'node:url'

// In octets (RFC 5321 §4.5.3.1, RFC 6531 §3.3).
const LONGEST = 254
const LONGEST_LOCAL_PART = 64
// Less than RFC 5322 allows: what mail systems deliver to. No white space or control characters, and no dot at an end or beside another.
const LOCAL_PART = /^(?!\.)(?!.*\.(?:\.|$))[^\s@\p{Cc}"(),:;<>[\]\\]+$/u
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
// A name that ends in a number would be an IPv4 address.
const TOP_LABEL = /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/
// Format, private-use, unassigned, surrogate and ignorable characters: two addresses that differ in them look the same, and in
// what is unassigned two versions of Unicode may disagree.
const UNFIT = /[\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}]/u

/**
 * @returns an e-mail address as accounts store it: trimmed, NFKC, lower-case, the labels of its domain as A-labels (RFC 5890
 * §2.3.2.1). What is no address, or has no A-labels, is normalised as far as it can be.
 */
export function normaliseEmail (text: string): string {
  // Normalised again, for a small letter may be two characters that change places with what follows.
  const email = text.normalize('NFKC').toLowerCase().normalize('NFKC').trim()
  return withLabels(email, label => toALabel(label) ?? label)
}

/** @returns whether a text is an e-mail address after normalising, of characters that can be told apart */
export function isEmailAddress (text: string): boolean {
  const email = normaliseEmail(text)
  const at = email.lastIndexOf('@')
  const [localPart, labels] = [email.slice(0, Math.max(at, 0)), email.slice(at + 1).split('.')]
  return !UNFIT.test(text) && !UNFIT.test(email) && Buffer.byteLength(email) <= LONGEST && Buffer.byteLength(localPart) <= LONGEST_LOCAL_PART &&
    LOCAL_PART.test(localPart) && labels.length > 1 && TOP_LABEL.test(labels.at(-1) ?? '') && labels.every(label => LABEL.test(label) && toALabel(label) === label)
}

/** @returns a normalised address as earlier versions stored it, the labels of its domain as U-labels; the same address where it has none */
export function formerSpelling (email: string): string {
  // Only what was made from a U-label: Node reads any other label as a part of a URL, `1` as 0.0.0.1 and `a%2eb` as `a.b`.
  return withLabels(email, label => label.startsWith('xn--') && toALabel(label) === label ? domainToUnicode(label) : label)
}

function withLabels (email: string, change: (label: string) => string): string {
  const at = email.lastIndexOf('@')
  return at === -1 ? email : email.slice(0, at + 1) + email.slice(at + 1).split('.').map(change).join('.')
}

// There and back again has to lead to the same label: Node also takes a percent-encoded label, and one with a path after it.
function toALabel (label: string): string | undefined {
  if (!label.startsWith('xn--') && /^[\0-\x7f]*$/.test(label)) return label
  const aLabel = domainToASCII(label)
  const uLabel = domainToUnicode(aLabel)
  const isPair = LABEL.test(aLabel) && !UNFIT.test(uLabel) && domainToASCII(uLabel) === aLabel
  return isPair && (label === aLabel || label === uLabel) ? aLabel : undefined
}
