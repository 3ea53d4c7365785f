import type { enPages } from './en-pages.ts'
import type { Shape } from './shape.ts'

export const frPages: Shape<typeof enPages> = {
  links: {
    register: ({ service }) => ({
      title: 'Terminer l’inscription',
      lead: `Saisissez le mot de passe que vous avez choisi chez ${service}. Votre compte est alors créé.`,
      action: 'Terminer l’inscription',
      done: 'Votre compte est prêt, et vous êtes connecté.'
    }),
    verify: ({ service }) => ({
      title: 'Confirmer votre adresse e-mail',
      lead: `Confirmez que cette adresse appartient à votre compte ${service}.`,
      action: 'Confirmer l’adresse',
      done: 'Votre adresse est confirmée.'
    }),
    forgot: ({ service }) => ({
      title: 'Demander un nouveau mot de passe',
      lead: `Un lien pour choisir un nouveau mot de passe est envoyé à l’adresse de votre compte ${service}.`,
      action: 'Envoyer le lien',
      done: 'S’il existe un compte avec cette adresse, un message est en route. Consultez votre messagerie.'
    }),
    reset: ({ service }) => ({
      title: 'Choisissez un nouveau mot de passe',
      lead: `Pour votre compte ${service}. Toutes ses sessions prennent fin.`,
      action: 'Enregistrer le mot de passe',
      done: 'Votre mot de passe a été changé. Connectez-vous avec le nouveau.'
    }),
    emailChange: ({ service }) => ({
      title: 'Confirmez votre nouvelle adresse e-mail',
      lead: `Pour votre compte ${service}. Toutes ses autres sessions prennent fin.`,
      action: 'Confirmer l’adresse',
      done: 'Votre adresse e-mail a été changée. Désormais, connectez-vous avec la nouvelle.'
    }),
    emailRevert: ({ service }) => ({
      title: 'Récupérez votre compte',
      lead: `Votre compte ${service} retrouve son ancienne adresse. Toutes les sessions prennent fin, et les moyens de connexion ajoutés depuis sont retirés.`,
      action: 'Récupérer le compte',
      done: 'Votre compte a retrouvé son ancienne adresse. Un message avec un lien pour choisir un nouveau mot de passe y est envoyé.'
    }),
    restore: ({ service }) => ({
      title: 'Garder votre compte',
      lead: `Votre compte chez ${service} doit être supprimé. D’ici là, vous pouvez le garder.`,
      action: 'Garder le compte',
      done: 'Votre compte est conservé. Vous pouvez à nouveau vous connecter.'
    })
  },
  email: 'Adresse e-mail',
  newEmail: 'Nouvelle adresse e-mail',
  password: 'Mot de passe',
  passwordWhy: 'Le mot de passe de votre compte, car vous n’êtes pas connecté ici.',
  newPassword: 'Nouveau mot de passe',
  passwordRule: ({ length }) => `Au moins ${length} caractères. Quelques mots qui n’appartiennent à personne d’autre conviennent bien.`,
  error: 'Erreur',
  problems: {
    link_invalid: 'Ce lien est incomplet ou n’est pas valable. Ouvrez-le tel qu’il figure dans le message, ou demandez-en un nouveau.',
    link_used: 'Ce lien a déjà servi. Si ce n’était pas vous, demandez-en un nouveau tout de suite.',
    link_expired: 'Ce lien est trop ancien, ou un plus récent a été envoyé. Demandez-en un nouveau.',
    invalid_credentials: 'Ce n’est pas le mot de passe du compte.',
    unauthenticated: 'Saisissez le mot de passe du compte.',
    invalid_token: 'Saisissez le mot de passe du compte.',
    different_session: 'Ce navigateur est connecté à un autre compte. Saisissez le mot de passe du compte dont parle le message.',
    email_taken: 'Cette adresse appartient maintenant à un autre compte.',
    too_many_failures: 'Trop d’échecs. Connectez-vous depuis un appareil déjà utilisé, ou choisissez un nouveau mot de passe.',
    account_disabled: 'Ce compte est désactivé. Adressez-vous au support.',
    cross_site_request: 'Ce formulaire venait d’un autre site et n’a pas été accepté. Ouvrez de nouveau le lien du message.',
    too_many_requests: 'Trop de tentatives. Réessayez plus tard.',
    unavailable: 'Ce n’est pas possible pour le moment. Réessayez dans un instant.',
    other: 'Cela n’a pas fonctionné. Ouvrez de nouveau le lien du message.'
  },
  objections: {
    malformed: 'Ce mot de passe n’est pas un texte valable.',
    too_short: 'Ce mot de passe est trop court.',
    too_long: 'Ce mot de passe est trop long.',
    too_common: 'Ce mot de passe est trop répandu.',
    contains_email: 'Ce mot de passe est fait de votre adresse e-mail.',
    contains_name: 'Ce mot de passe est fait de votre nom.',
    contains_service_name: 'Ce mot de passe est fait du nom du service.',
    other: 'Ce mot de passe ne peut pas être utilisé.'
  }
}
