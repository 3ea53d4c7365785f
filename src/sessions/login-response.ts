import type { Static } from 'typebox'
import type { FastifyReply } from 'fastify'
import type { Cookies } from '../http/cookies.ts'
import { KNOWN_DEVICE_LIFE, type KnownDeviceCookie } from './known-device-cookie.ts'
import type { LoginSchema } from './schemas.ts'
import type { Login } from './open-session.ts'
import type { SessionAccount } from './session-sql.ts'

/** The response body of a login. */
export type LoginView = Omit<Static<typeof LoginSchema>, 'user'> & { user: ReturnType<typeof presentUser> }

export interface LoginResponseDeps {
  cookies: Cookies
  deviceCookie: KnownDeviceCookie
}

/** Sends the credentials of a login on its channel: tokens in the body or in cookies, or the cookie of a stateful session. */
export type SendLogin = (reply: FastifyReply, login: Login) => LoginView

export function createSendLogin ({ cookies, deviceCookie }: LoginResponseDeps): SendLogin {
  return function sendLogin (reply, login) {
    const { user, channel, expiresIn } = login
    const view = { user: presentUser(user), tokenType: 'Bearer', expiresIn } as const
    if (channel === 'body') return { ...view, accessToken: login.accessToken, refreshToken: login.refreshToken }

    // The cookies of the other channel are those of another session, and are cleared first.
    const sessionLife = Math.max(1, Math.floor(user.endsAt - user.now))
    if (channel === 'session') {
      cookies.clearCarried(reply, 'access', 'refresh')
      cookies.set(reply, 'session', login.secret, sessionLife)
    } else {
      cookies.clearCarried(reply, 'session')
      cookies.set(reply, 'access', login.accessToken, expiresIn)
      cookies.set(reply, 'refresh', login.refreshToken, sessionLife)
    }
    cookies.set(reply, 'device', deviceCookie.write(user.userId), KNOWN_DEVICE_LIFE)
    return view
  }
}

function presentUser ({ userId, email, emailVerified, name, role, userCreatedAt }: SessionAccount) {
  return { id: userId, email, emailVerified, name, role, createdAt: userCreatedAt.toISOString() }
}
