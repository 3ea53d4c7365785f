import type { AccountDeletion } from '../accounts/account-deletion.ts'
import type { AttemptLimiter } from '../limits/attempt-limiter.ts'
import { countGuess } from '../mail-requests/count-guess.ts'
import type { LinkPage } from './link-page.ts'

export interface RestorePageDeps {
  deletion: Pick<AccountDeletion, 'look' | 'restoreByToken'>
  limiter: AttemptLimiter
}

/** Keeping an account that is to be deleted. */
export function createRestorePage ({ deletion, limiter }: RestorePageDeps): LinkPage {
  return {
    path: '/account/restore',
    texts: 'restore',
    async look (token) {
      await deletion.look(token)
      return {}
    },
    act: ({ token, client, report }) => countGuess(limiter, 'reset', { client, report }, () => deletion.restoreByToken(token, client))
  }
}
