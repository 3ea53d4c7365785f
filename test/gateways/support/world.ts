import type { Test } from 'tap'
import { freePort } from '../../support/free-port.ts'
import { startService, type Person, type Settings, type TestService } from '../../support/service.ts'
import type { Places } from './gateway.ts'
import { startRelay, type Relay } from './relay.ts'
import { send, type Heard, type Sent } from './request.ts'
import { startServices, type Seen, type Services } from './services.ts'

export const ORIGIN = 'https://app.example.com'
export const ALLOWED_ORIGIN = 'https://spa.example.com'
export const FOREIGN_ORIGIN = 'https://evil.example'

/** An answer that came through a gateway, and what a service behind it had to do with it. */
export interface Passed extends Heard {
  /** Whether a service was asked. */
  readonly reached: boolean
  /** What the service saw that answered. */
  readonly seen: Seen | undefined
}

/** Countersign, services of several kinds, and the gateway in front of them. */
export interface World {
  readonly places: Places
  readonly countersign: TestService
  /** The gateway's line to Countersign. */
  readonly line: Relay
  readonly services: Services
  readonly ada: Person
  /** Asks by way of the gateway. @param target method and path */
  ask (target: string, sent?: Sent): Promise<Passed>
}

/** Starts all but the gateway, which is to listen at `listen`. */
export async function openWorld (t: Test, settings: Settings = {}): Promise<World> {
  const listen = await freePort()
  // The number of proxies: of the addresses that the gateway forwards the last counts, the client's own word never.
  const [countersign, services] = await Promise.all([
    startService(t, { PUBLIC_URL: ORIGIN, ALLOWED_ORIGINS: ALLOWED_ORIGIN, TRUST_PROXY: '1', ...settings }),
    startServices(t)
  ])
  const port = Number(new URL(await countersign.listen()).port)
  const line = await startRelay(t, () => port)

  async function ask (target: string, sent?: Sent): Promise<Passed> {
    const before = services.used
    const heard = await send(listen, target, sent)
    const reached = services.used > before
    return { ...heard, reached, seen: reached && heard.body.startsWith('{') ? JSON.parse(heard.body) as Seen : undefined }
  }

  const places = { listen, countersign: line.port, service: services.port }
  return { places, countersign, line, services, ada: await countersign.person(), ask }
}
