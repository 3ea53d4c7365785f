import type { Call, LoginBody, TestService } from './service.ts'

/** What a request of somebody carries that shows presence: beside the access token the present refresh token, in the body. */
export function present ({ accessToken: token, refreshToken }: Pick<LoginBody, 'accessToken' | 'refreshToken'>, json: object = {}): Call {
  return { token, json: { ...json, refreshToken } }
}

/** Makes the logins of an account older. */
export async function age (service: Pick<TestService, 'sql'>, userId: string, interval = '6 minutes'): Promise<void> {
  await service.sql('UPDATE sessions SET authenticated_at = authenticated_at - $2::interval, created_at = created_at - $2::interval WHERE user_id = $1::uuid', userId, interval)
}
