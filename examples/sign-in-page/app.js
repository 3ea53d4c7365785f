// A web page on another origin that signs users in with buttons. The session is in cookies that scripts cannot read: the page
// never sees a token.
//
//   PORT=4000 AUTH_URL=http://localhost:3000 node app.js
//
// The service needs ALLOWED_ORIGINS=http://localhost:4000, ALLOWED_REDIRECTS=http://localhost:4000/ and a provider.
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
    const ask = (path, options) => fetch(${JSON.stringify(AUTH_URL)} + path, { credentials: 'include', ...options })
    const show = (id, text) => { document.getElementById(id).textContent = text }

    const error = new URL(location).searchParams.get('error')
    if (error) show('error', error === 'access_denied' ? 'You changed your mind.' : 'That did not work: ' + error)

    const me = await ask('/auth/me')
    if (me.ok) {
      show('who', 'Hello, ' + (await me.json()).email)
      const out = document.getElementById('out')
      out.hidden = false
      out.onclick = async () => {
        await ask('/auth/logout', { method: 'POST' })
        location.assign('/')
      }
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
