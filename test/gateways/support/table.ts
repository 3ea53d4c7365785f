import type { Test } from 'tap'
import { keepsBounds, type ManyCookies } from './bounds.ts'
import { keepsSitesApart } from './cross-site.ts'
import { tellsWhoAsks } from './identity.ts'
import { servesCountersign } from './own-routes.ts'
import { keepsSecrets, type CookieHandling } from './secrets.ts'
import { sendsPeopleToSignIn } from './sign-in.ts'
import type { World } from './world.ts'

/** In what one gateway differs from the next. */
export interface Traits {
  cookies: CookieHandling
  manyCookies: ManyCookies
  /** Whether it sends people who open a page to sign in. */
  signIn?: boolean
}

/** What every gateway has to do, the same for all. */
export async function passesTable (t: Test, world: World, { cookies, manyCookies, signIn = false }: Traits): Promise<void> {
  await tellsWhoAsks(t, world)
  await keepsSitesApart(t, world)
  await keepsSecrets(t, world, cookies)
  await servesCountersign(t, world)
  if (signIn) await sendsPeopleToSignIn(t, world)
  await keepsBounds(t, world, manyCookies)
}
