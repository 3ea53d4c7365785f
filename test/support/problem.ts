import type { Test } from 'tap'
import { catalogue, type ProblemCode, type ProblemDocument } from '../../src/errors.ts'
import type { Answer } from './service.ts'

/** Holds an answer to be exactly the problem of the catalogue with this code (RFC 9457). */
export function isProblem (t: Test, answer: Answer<ProblemDocument>, code: ProblemCode, about: string = code): void {
  const [status, title] = catalogue[code]
  const { type, title: titleGiven, status: statusGiven, code: codeGiven, detail: _, errors: __, maxAge, deletionDueAt, ...rest } = answer.body ?? {}
  t.strictSame({ status: answer.status, type: answer.headers['content-type']?.split(';')[0] }, { status, type: 'application/problem+json' }, about)
  t.strictSame({ type, title: titleGiven, status: statusGiven, code: codeGiven, ...rest }, { type: `urn:countersign:problem:${code}`, title, status, code }, about)
  t.equal(deletionDueAt !== undefined, code === 'account_deletion_scheduled', about)
  // RFC 9470 §3: whoever has to authenticate anew is told how long ago it may be.
  const isToAuthenticate = code === 'insufficient_user_authentication'
  t.equal(maxAge, isToAuthenticate ? 300 : undefined, about)
  if (isToAuthenticate) t.equal(answer.headers['www-authenticate'], 'Bearer error="insufficient_user_authentication", max_age="300"', about)
}

/** The fields that an answer complains of, in the order of the alphabet. */
export function fieldsOf ({ body }: Answer<ProblemDocument>): string[] {
  return (body.errors ?? []).map(({ field }) => field).sort()
}
