// A web page on another origin that signs users in with buttons. The session is in cookies that scripts cannot read: the page
// never sees a token.
//
//   PORT=4000 AUTH_URL=http://localhost:3000 node app.js
//
// The service needs ALLOWED_ORIGINS=http://localhost:4000, ALLOWED_REDIRECTS=http://localhost:4000/ and a provider. How a page
// goes on when the access cookie has expired is shown in ../browser-page/public/session.js.
import Fastify from 'fastify'

const { AUTH_URL = 'http://localhost:3000', PORT = '4000' } = process.env

const page = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Sign in</title>
  <p id="who">…</p>
  <p id="error" role="alert"></p>
  <ul id="providers"></ul>
  <button id="out" hidden>Log out</button>
  <script type="module">
    const ask = (path, options) => fetch(${JSON.stringify(AUTH_URL)} + path, { credentials: 'include', redirect: 'error', signal: AbortSignal.timeout(10_000), ...options })
    const show = (id, text) => { document.getElementById(id).textContent = text }

    const error = new URL(location).searchParams.get('error')
    if (error) show('error', error === 'access_denied' ? 'You changed your mind.' : 'That did not work: ' + error)

    // Of another form, or in HTML, it is not Countersign that answered.
    const me = await ask('/auth/me').then(answer => answer.json()).catch(() => ({}))
    if (me.email) {
      show('who', 'Hello, ' + me.email)
      const out = document.getElementById('out')
      out.hidden = false
      out.onclick = async () => {
        const { status } = await ask('/auth/logout', { method: 'POST' }).catch(() => ({}))
        if (status === 204) location.assign('/')
        else show('error', 'You are still logged in: please try again.')
      }
    } else if (me.status !== 401) {
      show('error', 'Countersign could not be reached.')
    } else {
      show('who', 'Nobody is logged in.')
      const { items } = await (await ask('/auth/providers')).json()
      for (const { id, name } of items) {
        const link = document.createElement('a')
        link.href = ${JSON.stringify(AUTH_URL)} + '/auth/providers/' + id + '?' + new URLSearchParams({ redirectTo: location.origin + '/' })
        link.textContent = 'Sign in with ' + name
        const item = document.createElement('li')
        item.append(link)
        document.getElementById('providers').append(item)
      }
    }
  </script>
</html>
`

const app = Fastify()

app.get('/', (request, reply) => reply.type('text/html').send(page))

console.log(await app.listen({ port: Number(PORT), host: 'localhost' }))
