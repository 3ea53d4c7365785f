// openapi-fetch with the types of openapi-typescript. Prints what came of it.
import createClient from 'openapi-fetch'

const [, , baseUrl = ''] = process.argv
/** @type {string | undefined} */
let accessToken
/** @type {ReturnType<typeof createClient<import('./generated/countersign.js').paths>>} */
const client = createClient({ baseUrl })
client.use({ onRequest: ({ request }) => { if (accessToken !== undefined) request.headers.set('authorization', `Bearer ${accessToken}`) } })

const credentials = { email: 'grace@example.com', password: 'correct horse battery' }
const registered = await client.POST('/auth/register', { body: credentials })
const loggedIn = await client.POST('/auth/login', { body: credentials })
accessToken = loggedIn.data?.accessToken
const me = await client.GET('/auth/me')
const renamed = await client.PATCH('/auth/me', { body: { name: 'Grace' } })
const refreshed = await client.POST('/auth/refresh', { body: { refreshToken: loggedIn.data?.refreshToken ?? '' } })
accessToken = refreshed.data?.accessToken
const sessions = await client.GET('/auth/sessions')
const loggedOut = await client.POST('/auth/logout')
const after = await client.GET('/auth/me')

const answers = { registered, loggedIn, me, renamed, refreshed, sessions, loggedOut, after }
console.log(JSON.stringify(Object.fromEntries(Object.entries(answers).map(([name, { response }]) => [name, response.status]))))
