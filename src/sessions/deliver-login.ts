import { Type, type Static } from 'typebox'
import type { FastifyReply } from 'fastify'
import type { Cookies } from '../http/cookies.ts'
import { DEVICE_LIFE, type DeviceCookies } from './device-cookie.ts'
import type { Login } from './open-session.ts'
import type { OpenedSession } from './store.ts'

export const Deliver = Type.Enum(['body', 'cookie'], {
  default: 'body',
  description: '`body`: tokens in the answer, for mobile apps and services. `cookie`: the same tokens in httpOnly cookies, for browsers.'
})

export const LoginSchema = Type.Object({
  user: Type.Ref('User'),
  accessToken: Type.Optional(Type.String({ description: 'Absent where cookies carry it' })),
  refreshToken: Type.Optional(Type.String({ description: 'Absent where cookies carry it' })),
  tokenType: Type.Literal('Bearer'),
  expiresIn: Type.Integer({ description: 'Seconds that the access token lives', examples: [600] })
}, { $id: 'Login', description: 'An open session' })

/** The body that answers a login. */
export type LoginView = Omit<Static<typeof LoginSchema>, 'user'> & { user: ReturnType<typeof presentUser> }

/** What delivering a login takes. */
export interface DeliveryParts {
  cookies: Cookies
  devices: DeviceCookies
  /** Seconds that the refresh cookie is kept: the session's absolute life. */
  refreshTtl: number
}

/** Hands a login to the client in the way its channel says: tokens in the body, or in cookies. */
export type DeliverLogin = (reply: FastifyReply, login: Login) => LoginView

export function createDeliverLogin ({ cookies, devices, refreshTtl }: DeliveryParts): DeliverLogin {
  return (reply, { channel, user, accessToken, refreshToken, expiresIn }) => {
    reply.header('cache-control', 'no-store')
    const view = { user: presentUser(user), tokenType: 'Bearer', expiresIn } as const
    if (channel === 'body') return { ...view, accessToken, refreshToken }
    cookies.set(reply, 'access', accessToken, expiresIn)
    cookies.set(reply, 'refresh', refreshToken, refreshTtl)
    cookies.set(reply, 'device', devices.write(user.userId), DEVICE_LIFE)
    return view
  }
}

function presentUser ({ userId, email, emailVerified, name, role, userCreatedAt }: OpenedSession) {
  return { id: userId, email, emailVerified, name, role, createdAt: userCreatedAt.toISOString() }
}
