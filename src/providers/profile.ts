import type { IDToken, UserInfoResponse } from 'openid-client'

/** A person at a provider, as the provider describes them. */
export interface Profile {
  issuer: string
  /** The person's permanent id at the issuer. */
  subject: string
  email: string | null
  /** Whether the provider says that the address is verified. */
  emailVerified: boolean
  name: string | null
}

const MAX_SUBJECT_LENGTH = 255

/** @returns the profile in an ID token, or in a userinfo response of the same subject */
export function toProfile ({ sub, email, email_verified: verified, name }: IDToken | UserInfoResponse, issuer: string): Profile {
  return {
    issuer,
    subject: sub,
    email: typeof email === 'string' ? email : null,
    // Some providers send a string.
    emailVerified: verified === true || verified === 'true',
    name: typeof name === 'string' ? name : null
  }
}

/** @throws Error for an invalid subject: with an empty one, everybody would share an account */
export function assertSubject (profile: Profile): Profile {
  const { subject } = profile
  if (subject === '' || subject.length > MAX_SUBJECT_LENGTH || /[\p{Cc}\p{Surrogate}]/u.test(subject)) throw new Error('Invalid subject: empty, too long, or with control characters')
  return profile
}
