const LONGEST = 254
// Less than RFC 5322 allows: what mail systems deliver to. One @, no white space or control characters, a dotted domain.
const FORM = /^[^\s@\p{Cc}"(),:;<>[\]\\]{1,64}@(?:[^\s@\p{Cc}"(),:;<>[\]\\.]{1,63}\.)+[^\s@\p{Cc}"(),:;<>[\]\\.]{2,63}$/u

/** @returns an e-mail address as accounts store it: trimmed, NFKC, lower-case */
export function normaliseEmail (text: string): string {
  return text.normalize('NFKC').trim().toLowerCase()
}

/** @returns whether a text is an e-mail address after normalising */
export function isEmailAddress (text: string): boolean {
  const email = normaliseEmail(text)
  return email.length <= LONGEST && FORM.test(email) && !/^\.|\.\.|\.@|\p{Surrogate}/u.test(email)
}
