import { Type, type Static } from 'typebox'
import { invalidField } from '../errors.ts'
import type { MailedProof } from '../one-time-tokens/mailed-secret-store.ts'
import { MAIL_REQUEST_LIFE } from './mail-flow.ts'

const EXAMPLE_TOKEN = 'oXqv4Hd0RS2Jd5JtVn2Qp0zUe7b4C2yqk3n0y7m1aBc'
export const EXAMPLE_CODE = { requestId: 'hT4kq0vB2s1Yp8mXw3Zr7Q', code: '042917' }

/** What whoever asks for a mail is answered. */
export const AskedSchema = Type.Object({
  requestId: Type.String({ description: 'Belongs to the mailed code: the two are sent together', examples: [EXAMPLE_CODE.requestId] }),
  expiresIn: Type.Integer({ description: 'How long link and code are good, in seconds', examples: [MAIL_REQUEST_LIFE] })
})

export const EXAMPLE_ASKED = { requestId: EXAMPLE_CODE.requestId, expiresIn: MAIL_REQUEST_LIFE }

/** The fields of a body that show a mailed code. */
export const CODE_FIELDS = {
  requestId: Type.String({ minLength: 1, maxLength: 512, description: 'The id that asking for the mail was answered with', examples: [EXAMPLE_CODE.requestId] }),
  code: Type.String({ minLength: 1, maxLength: 32, description: 'The mailed code', examples: [EXAMPLE_CODE.code] })
}

/** The fields of a body that show what was mailed: a link's token, or a code with the id of its request. */
export const PROOF_FIELDS = {
  token: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: 'The token of the mailed link', examples: [EXAMPLE_TOKEN] })),
  requestId: Type.Optional(CODE_FIELDS.requestId),
  code: Type.Optional(CODE_FIELDS.code)
}

/** Examples of these fields, one of each kind. */
export const EXAMPLE_PROOFS = [{ token: EXAMPLE_TOKEN }, EXAMPLE_CODE] as const

type ProofFields = Partial<Record<keyof typeof PROOF_FIELDS, Static<typeof PROOF_FIELDS['token']>>>

/** @throws Problem 422 where neither or both are given */
export function readProof ({ token, requestId, code }: ProofFields): MailedProof {
  if (token !== undefined) {
    if (requestId !== undefined || code !== undefined) throw invalidField(requestId === undefined ? 'code' : 'requestId', 'must not be beside token')
    return { token }
  }
  if (requestId === undefined && code === undefined) throw invalidField('token', 'is required, or requestId and code')
  if (requestId === undefined) throw invalidField('requestId', 'is required')
  if (code === undefined) throw invalidField('code', 'is required')
  return { requestId, code }
}
