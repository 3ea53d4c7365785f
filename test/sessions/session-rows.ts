import type { LoginBody, Person, TestService } from '../support/service.ts'

/** The content of a refresh token. */
export function refreshTokenOf ({ refreshToken }: Pick<LoginBody, 'refreshToken'>): { sessionId: string, generation: number, nonce: string } {
  const [sessionId = '', generation, nonce = ''] = refreshToken.split('.')
  return { sessionId, generation: Number(generation), nonce }
}

export function sessionIdOf (login: Pick<LoginBody, 'refreshToken'>): string {
  return refreshTokenOf(login).sessionId
}

/** A session's row; `xmin` changes with every write. */
export interface SessionRow {
  generation: number
  endedReason: string | null
  xmin: string
}

export async function rowOf (service: Pick<TestService, 'sql'>, login: Pick<LoginBody, 'refreshToken'>): Promise<SessionRow | undefined> {
  const [row] = await service.sql<SessionRow>('SELECT generation, ended_reason AS "endedReason", xmin::text AS xmin FROM sessions WHERE id = $1::uuid', sessionIdOf(login))
  return row
}

/** Logs in with a stateful session. @returns its cookie */
export async function statefulSession (service: Pick<TestService, 'call'>, { email, password }: Pick<Person, 'email' | 'password'>): Promise<{ session: string }> {
  const { cookies } = await service.call('POST /auth/login', { json: { email, password, deliver: 'session' }, headers: { 'x-countersign': '1' } })
  const cookie = cookies.session ?? cookies['__Host-session']
  if (cookie === undefined) throw new Error('The login set no session cookie')
  return { session: cookie.value }
}
