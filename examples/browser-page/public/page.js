import { Failure, fetchAsUser, LoggedOut, logIn, logOut, onChange, Superseded } from './session.js'

const login = document.querySelector('#login')
const inside = document.querySelector('#inside')
const greeting = document.querySelector('#greeting')
const problem = document.querySelector('#problem')

/** Shows who is logged in. Where nobody knows, nothing changes. */
async function show () {
  const text = await greetingOfUser()
  greeting.textContent = text ?? ''
  login.hidden = text !== undefined
  inside.hidden = text === undefined
}

async function greetingOfUser () {
  try {
    const { greeting } = await (await fetchAsUser('/api/greeting')).json()
    // Of another form, it is not the API that answered.
    if (typeof greeting !== 'string') throw new Error('no greeting')
    return greeting
  } catch (error) {
    if (!(error instanceof LoggedOut)) throw error
  }
}

/** Does what the visitor asked for, shows what came of it, and says what went wrong. */
async function act (action) {
  problem.textContent = ''
  for (const step of [action, show]) {
    try {
      await step()
    } catch (error) {
      // Then another tab or click has changed who is logged in, and shows that.
      if (!(error instanceof Superseded)) problem.textContent = error instanceof Failure ? error.message : 'That did not work. Please try again.'
    }
  }
}

login.addEventListener('submit', event => {
  event.preventDefault()
  const how = event.submitter.value
  return act(async () => {
    await logIn(how, Object.fromEntries(new FormData(login)))
    login.reset()
  })
})

document.querySelector('#logout').addEventListener('click', () => act(logOut))

onChange(() => act(() => {}))
await act(() => {})
