const { countersign } = document.documentElement.dataset
const login = document.querySelector('#login')
const inside = document.querySelector('#inside')
const greeting = document.querySelector('#greeting')
const problem = document.querySelector('#problem')

/** Sends a request to Countersign, with cookies that scripts cannot read. */
function ask (path, body) {
  return fetch(countersign + path, {
    method: 'POST',
    credentials: 'include',
    ...body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  })
}

/** Like `fetch`, but refreshes an expired access cookie first. A lock makes one tab refresh for all of them. */
async function fetchAsUser (url) {
  const answer = await fetch(url)
  if (answer.status !== 401) return answer
  return navigator.locks.request('refresh', async () => {
    const again = await fetch(url)
    if (again.status !== 401 || !(await ask('/auth/refresh')).ok) return again
    return fetch(url)
  })
}

async function show () {
  const answer = await fetchAsUser('/api/greeting')
  login.hidden = answer.ok
  inside.hidden = !answer.ok
  if (answer.ok) ({ greeting: greeting.textContent } = await answer.json())
}

login.addEventListener('submit', async event => {
  event.preventDefault()
  const { email, password } = Object.fromEntries(new FormData(login))
  const answer = await ask(`/auth/${event.submitter.value}`, { email, password, deliver: 'cookie' })
  problem.textContent = answer.ok ? '' : (await answer.json()).title
  if (answer.ok) login.reset()
  await show()
})

document.querySelector('#logout').addEventListener('click', async () => {
  await ask('/auth/logout')
  await show()
})

await show()
