import type { IDToken, UserInfoResponse } from 'openid-client'

/** Who somebody is at a provider, as the provider says. */
export interface Profile {
  issuer: string
  /** What the issuer knows them by, for ever. */
  subject: string
  email: string | null
  /** Whether the provider says that the address is theirs. */
  emailVerified: boolean
  name: string | null
}

const LONGEST_SUBJECT = 255

/** @returns whom an ID token, or a userinfo answer of the same subject, is about */
export function toProfile ({ sub, email, email_verified: verified, name }: IDToken | UserInfoResponse, issuer: string): Profile {
  return {
    issuer,
    subject: sub,
    email: typeof email === 'string' ? email : null,
    // Some providers write it as a text.
    emailVerified: verified === true || verified === 'true',
    name: typeof name === 'string' ? name : null
  }
}

/** Refuses a profile of nobody: an empty subject would make one account of all who have none. */
export function withSubject (profile: Profile): Profile {
  const { subject } = profile
  if (subject === '' || subject.length > LONGEST_SUBJECT || /[\p{Cc}\p{Surrogate}]/u.test(subject)) throw new Error('the subject is empty, or none that can be kept')
  return profile
}
