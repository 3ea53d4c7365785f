import type { en } from './en.ts'
import { frPages } from './fr-pages.ts'
import { formatInstant } from './format.ts'
import type { Shape } from './shape.ts'

const time = (at: string) => formatInstant('fr', at)
const NOT_YOU = 'Si c’était vous, il n’y a rien à faire. Sinon, choisissez tout de suite un nouveau mot de passe : toutes les sessions prendront fin.'
const IGNORE = 'Si vous n’avez rien demandé, ignorez ce message : rien n’a changé.'
const valid = (minutes: number) => `Valable ${minutes} minutes, une seule fois. Ne donnez le code à personne.`
const linkValid = (minutes: number) => `Le lien est valable ${minutes} minutes, une seule fois.`

const FACTORS = { totp: 'Application d’authentification', passkey: 'Clé d’accès', recovery_codes: 'Codes de récupération' }
const CHANGES = { added: 'ajout', removed: 'suppression', renewed: 'renouvellement' }

export const fr: Shape<typeof en> = {
  mail: {
    verify_email: ({ service, code, minutes }) => ({
      subject: `Confirmez votre adresse e-mail pour ${service}`,
      before: [`Veuillez confirmer que cette adresse est celle de votre compte ${service}.`],
      action: 'Confirmer l’adresse',
      after: [code === undefined ? linkValid(minutes) : valid(minutes), 'Si vous n’y avez pas de compte, ignorez ce message.']
    }),
    register_code: ({ service, minutes }) => ({
      subject: `Terminez votre inscription à ${service}`,
      before: [`Pour terminer votre inscription à ${service}, saisissez ce code là où vous l’avez commencée, ou ouvrez le lien.`],
      action: 'Terminer l’inscription',
      after: [valid(minutes), IGNORE]
    }),
    existing_account: ({ service }) => ({
      subject: `Vous avez déjà un compte ${service}`,
      before: [`Quelqu’un, sans doute vous, a voulu s’inscrire à ${service} avec cette adresse. Elle y a déjà un compte : connectez-vous comme d’habitude.`, 'Si vous avez oublié le mot de passe, vous pouvez en choisir un nouveau.'],
      action: 'Choisir un nouveau mot de passe',
      after: ['Si ce n’était pas vous, ignorez ce message : rien n’a changé.']
    }),
    password_reset: ({ service, code, minutes }) => ({
      subject: `Choisissez un nouveau mot de passe pour ${service}`,
      before: [`Un nouveau mot de passe a été demandé pour votre compte ${service}.`],
      action: 'Choisir un nouveau mot de passe',
      after: [code === undefined ? linkValid(minutes) : valid(minutes), 'Si vous n’avez rien demandé, ignorez ce message : votre mot de passe reste le même.']
    }),
    invitation: ({ service, days }) => ({
      subject: `Votre compte ${service}`,
      before: [`Un compte ${service} a été créé pour vous. Choisissez un mot de passe pour l’utiliser.`],
      action: 'Choisir un mot de passe',
      after: [`Le lien est valable ${days} jours, une seule fois.`]
    }),
    login_code: ({ service, minutes }) => ({
      subject: `Votre code pour ${service}`,
      before: [`Ce code vous connecte à ${service}.`],
      after: [valid(minutes), 'Si vous n’avez rien demandé, ignorez ce message : sans le code, personne n’entre.']
    }),
    email_change: ({ service, minutes }) => ({
      subject: `Confirmez votre nouvelle adresse e-mail pour ${service}`,
      before: [`Cette adresse doit devenir celle d’un compte ${service}.`],
      action: 'Confirmer l’adresse',
      after: [valid(minutes), IGNORE]
    }),
    email_change_asked: ({ service, email, at }) => ({
      subject: `Une nouvelle adresse e-mail a été demandée pour ${service}`,
      before: [`Le ${time(at)}, quelqu’un a demandé que l’adresse de votre compte ${service} devienne ${email}. La vôtre reste valable tant que l’autre n’est pas confirmée.`],
      after: [NOT_YOU]
    }),
    email_changed: ({ service, email, at, days }) => ({
      subject: `L’adresse e-mail de votre compte ${service} a changé`,
      before: [`Depuis le ${time(at)}, l’adresse de votre compte ${service} est ${email}. Celle-ci ne permet plus de se connecter.`, 'Si ce n’était pas vous, reprenez le compte : l’ancienne adresse revient, toutes les sessions prennent fin et vous choisissez un nouveau mot de passe.'],
      action: 'Reprendre le compte',
      after: [`Le lien est valable ${days} jours.`]
    }),
    email_reverted: ({ service, at }) => ({
      subject: `Votre adresse e-mail pour ${service} est rétablie`,
      before: [`Depuis le ${time(at)}, cette adresse est de nouveau celle de votre compte ${service}. Toutes les sessions ont pris fin, et tout accès ajouté entre-temps est supprimé.`],
      after: ['Un second message apporte un lien pour choisir un nouveau mot de passe.']
    }),
    deletion_scheduled: ({ service, until }) => ({
      subject: `Votre compte ${service} va être supprimé`,
      before: [`Votre compte ${service} sera supprimé le ${time(until)}, avec toutes ses données. Jusque-là, vous pouvez le garder.`],
      action: 'Garder le compte',
      after: ['Si vous voulez qu’il soit supprimé, il n’y a rien à faire.']
    }),
    account_restored: ({ service, at }) => ({
      subject: `Votre compte ${service} est conservé`,
      before: [`Depuis le ${time(at)}, votre compte ${service} ne sera plus supprimé.`],
      after: [NOT_YOU]
    }),
    account_deleted: ({ service, at }) => ({
      subject: `Votre compte ${service} a été supprimé`,
      before: [`Le ${time(at)}, votre compte ${service} a été supprimé, avec toutes ses données.`],
      after: ['C’est le dernier message à son sujet.']
    }),
    new_device: ({ service, device, at }) => ({
      subject: `Nouvel appareil pour ${service}`,
      before: [`Le ${time(at)}, quelqu’un s’est connecté à votre compte ${service} depuis un appareil encore inconnu : ${device}.`],
      after: [NOT_YOU]
    }),
    password_changed: ({ service, at }) => ({
      subject: `Votre mot de passe pour ${service} a changé`,
      before: [`Le ${time(at)}, le mot de passe de votre compte ${service} a été changé. Toutes les autres sessions ont pris fin.`],
      after: [NOT_YOU]
    }),
    address_changed: ({ service, at }) => ({
      subject: `Voici votre adresse e-mail pour ${service}`,
      before: [`Depuis le ${time(at)}, cette adresse est celle de votre compte ${service}.`],
      after: [NOT_YOU]
    }),
    address_removed: ({ service, at }) => ({
      subject: `Cette adresse e-mail n’est plus la vôtre pour ${service}`,
      before: [`Depuis le ${time(at)}, cette adresse n’est plus celle de votre compte ${service} : il a été repris par le lien envoyé à son ancienne adresse. Toutes les sessions ont pris fin.`],
      after: [`Si c’était vous, il n’y a rien à faire. Sinon, adressez-vous à ceux qui gèrent ${service}.`]
    }),
    identity_linked: ({ service, provider, at }) => ({
      subject: `${provider} a été lié à votre compte ${service}`,
      before: [`Depuis le ${time(at)}, un compte ${provider} permet de se connecter à votre compte ${service}.`],
      after: ['Si c’était vous, il n’y a rien à faire. Sinon, supprimez ce lien et choisissez tout de suite un nouveau mot de passe.']
    }),
    factor_changed: ({ service, factor, change, at }) => ({
      subject: `La sécurité de votre compte ${service} a changé`,
      before: [`${FACTORS[factor]} de votre compte ${service} : ${CHANGES[change]} le ${time(at)}.`],
      after: [NOT_YOU]
    }),
    wrong_second_factor: ({ service, device, at }) => ({
      subject: `Quelqu’un connaît votre mot de passe pour ${service}`,
      before: [`Le ${time(at)}, quelqu’un a saisi le bon mot de passe de votre compte ${service}, puis un second facteur erroné. L’appareil : ${device}.`],
      after: ['Si c’était une faute de frappe, il n’y a rien à faire. Si ce n’était pas vous, choisissez tout de suite un nouveau mot de passe : quelqu’un connaît celui-ci.']
    }),
    refresh_token_reused: ({ service, device, at }) => ({
      subject: `Une session ${service} a pris fin`,
      before: [`Le ${time(at)}, un identifiant de session de votre compte ${service} a servi deux fois, comme après un vol. Cette session a pris fin. L’appareil : ${device}.`],
      after: ['Reconnectez-vous sur cet appareil. Si vous ne le connaissez pas, choisissez tout de suite un nouveau mot de passe.']
    }),
    test: ({ service }) => ({
      subject: `Message d’essai de ${service}`,
      before: [`Ceci est un essai. ${service} peut envoyer des messages.`],
      after: []
    })
  },

  pages: frPages,

  mailLayout: {
    code: 'Code',
    unknownDevice: 'inconnu',
    footer: ({ service }) => `Envoyé par ${service}. Les réponses ne sont pas lues.`
  }
}
