import { keepsBounds, type Away, type ManyCookies } from './bounds.ts'
import { keepsSitesApart } from './cross-site.ts'
import { tellsWhoAsks } from './identity.ts'
import { servesCountersign } from './own-routes.ts'
import { beginsSlowly } from './patience.ts'
import { keepsSecrets, type CookieHandling } from './secrets.ts'
import { sendsPeopleToSignIn, type SignIn } from './sign-in.ts'
import type { World } from './world.ts'
import type { Test } from 'tap'

/** In what one gateway differs from the next. */
export interface Traits {
  cookies: CookieHandling
  manyCookies: ManyCookies
  /** How people who open a page come to sign in; unless it says so, they do not. */
  signIn?: SignIn
  /** What it answers while Countersign does not; unless it says so, 503 with when to come back. */
  away?: Away
  /** Whether it waits for the headers of a client, however long they take. */
  waitsForHeaders?: boolean
}

/** What every gateway has to do, the same for all. */
export async function passesTable (t: Test, world: World, { cookies, manyCookies, signIn, away, waitsForHeaders }: Traits): Promise<void> {
  const endsSlowly = await beginsSlowly(t, world, waitsForHeaders)
  await tellsWhoAsks(t, world)
  await keepsSitesApart(t, world)
  await keepsSecrets(t, world, cookies)
  await servesCountersign(t, world)
  if (signIn !== undefined) await sendsPeopleToSignIn(t, world, signIn)
  await keepsBounds(t, world, manyCookies, away)
  await endsSlowly()
}
