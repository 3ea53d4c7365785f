import { Type, type Static } from 'typebox'
import type { FastifyReply } from 'fastify'
import type { Cookies } from '../http/cookies.ts'
import { DEVICE_LIFE, type DeviceCookies } from './device-cookie.ts'
import type { Login } from './open-session.ts'
import type { SessionAccount } from './store.ts'

export const Deliver = Type.Enum(['body', 'cookie', 'session'], {
  default: 'body',
  description: '`body`: tokens in the answer, for mobile apps and services. `cookie`: the same tokens in httpOnly cookies, for browsers. `session`: one opaque id in an httpOnly cookie, for browsers with a stateful session.'
})

export const LoginSchema = Type.Object({
  user: Type.Ref('User'),
  accessToken: Type.Optional(Type.String({ description: 'Absent where cookies carry it' })),
  refreshToken: Type.Optional(Type.String({ description: 'Absent where cookies carry it' })),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds that the access token lives, or the stateful session at most', examples: [600] })
}, { $id: 'Login', description: 'An open session' })

/** The body that answers a login. */
export type LoginView = Omit<Static<typeof LoginSchema>, 'user'> & { user: ReturnType<typeof presentUser> }

/** What delivering a login takes. */
export interface DeliveryParts {
  cookies: Cookies
  devices: DeviceCookies
}

/** Hands a login to the client in the way its channel says: tokens in the body, or in cookies, or one opaque id. */
export type DeliverLogin = (reply: FastifyReply, login: Login) => LoginView

export function createDeliverLogin ({ cookies, devices }: DeliveryParts): DeliverLogin {
  return (reply, login) => {
    const { user, channel, expiresIn } = login
    const view = { user: presentUser(user), tokenType: 'Bearer', expiresIn } as const
    reply.header('cache-control', 'no-store')
    if (channel === 'body') return { ...view, accessToken: login.accessToken, refreshToken: login.refreshToken }

    const sessionLife = Math.max(1, Math.floor(user.endsAt - user.now))
    if (channel === 'session') {
      cookies.set(reply, 'session', login.secret, sessionLife)
    } else {
      cookies.set(reply, 'access', login.accessToken, expiresIn)
      cookies.set(reply, 'refresh', login.refreshToken, sessionLife)
    }
    cookies.set(reply, 'device', devices.write(user.userId), DEVICE_LIFE)
    return view
  }
}

function presentUser ({ userId, email, emailVerified, name, role, userCreatedAt }: SessionAccount) {
  return { id: userId, email, emailVerified, name, role, createdAt: userCreatedAt.toISOString() }
}
