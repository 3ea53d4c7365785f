import { enPages } from './en-pages.ts'
import { formatInstant } from './format.ts'
import type { MailText, MailTexts } from './mail-messages.ts'

const time = (at: string) => formatInstant('en', at)
const NOT_YOU = 'If this was you, there is nothing to do. If it was not, choose a new password now: that ends all sessions.'
const IGNORE = 'If you did not ask for this, ignore this message: nothing has changed.'
const valid = (minutes: number) => `Valid for ${minutes} minutes, and only once. Give the code to nobody.`
const linkValid = (minutes: number) => `The link is valid for ${minutes} minutes, and only once.`

const FACTORS = { totp: 'The authenticator app', passkey: 'A passkey', recovery_codes: 'The set of recovery codes' }
const CHANGES = { added: 'added', removed: 'removed', renewed: 'renewed' }

export const en = {
  mail: {
    verify_email: ({ service, code, minutes }): MailText => ({
      subject: `Confirm your e-mail address for ${service}`,
      before: [`Please confirm that this address belongs to your account at ${service}.`],
      action: 'Confirm the address',
      after: [code === undefined ? linkValid(minutes) : valid(minutes), 'If you have no account there, ignore this message.']
    }),
    register_code: ({ service, minutes }): MailText => ({
      subject: `Finish signing up at ${service}`,
      before: [`To finish signing up at ${service}, enter this code where you began, or open the link.`],
      action: 'Finish signing up',
      after: [valid(minutes), IGNORE]
    }),
    existing_account: ({ service }): MailText => ({
      subject: `You already have an account at ${service}`,
      before: [`Somebody, probably you, wanted to sign up at ${service} with this address. It has an account already: log in to it as usual.`, 'If you do not remember the password, you can choose a new one.'],
      action: 'Choose a new password',
      after: ['If it was not you, ignore this message: nothing has changed.']
    }),
    password_reset: ({ service, code, minutes }): MailText => ({
      subject: `Choose a new password for ${service}`,
      before: [`A new password was asked for your account at ${service}.`],
      action: 'Choose a new password',
      after: [code === undefined ? linkValid(minutes) : valid(minutes), 'If you did not ask for this, ignore this message: your password stays as it is.']
    }),
    invitation: ({ service, days }): MailText => ({
      subject: `Your account at ${service}`,
      before: [`An account was made for you at ${service}. Choose a password to use it.`],
      action: 'Choose a password',
      after: [`The link is valid for ${days} days, and only once.`]
    }),
    login_code: ({ service, minutes }): MailText => ({
      subject: `Your code for ${service}`,
      before: [`With this code you log in to ${service}.`],
      after: [valid(minutes), 'If you did not ask for this, ignore this message: without the code nobody gets in.']
    }),
    email_change: ({ service, minutes }): MailText => ({
      subject: `Confirm your new e-mail address for ${service}`,
      before: [`This address is to be the new one of an account at ${service}.`],
      action: 'Confirm the address',
      after: [valid(minutes), IGNORE]
    }),
    email_change_asked: ({ service, email, at }): MailText => ({
      subject: `A new e-mail address was asked for at ${service}`,
      before: [`On ${time(at)} somebody asked to change the address of your account at ${service} to ${email}. Until that address is confirmed, yours stays.`],
      after: [NOT_YOU]
    }),
    email_changed: ({ service, email, at, days }): MailText => ({
      subject: `Your e-mail address at ${service} was changed`,
      before: [`Since ${time(at)} the address of your account at ${service} is ${email}. This one can no longer be used to log in.`, 'If that was not you, take the account back: the old address counts again, all sessions end, and you choose a new password.'],
      action: 'Take the account back',
      after: [`The link is valid for ${days} days.`]
    }),
    email_reverted: ({ service, at }): MailText => ({
      subject: `Your e-mail address at ${service} is back`,
      before: [`Since ${time(at)} this is the address of your account at ${service} again. All sessions have ended, and every way in that was added meanwhile is removed.`],
      after: ['A second message brings a link to choose a new password.']
    }),
    deletion_scheduled: ({ service, until }): MailText => ({
      subject: `Your account at ${service} will be deleted`,
      before: [`Your account at ${service} will be deleted on ${time(until)}, with all its data. Until then you can keep it.`],
      action: 'Keep the account',
      after: ['If you want it deleted, there is nothing to do.']
    }),
    account_restored: ({ service, at }): MailText => ({
      subject: `Your account at ${service} is kept`,
      before: [`Since ${time(at)} your account at ${service} is no longer to be deleted.`],
      after: [NOT_YOU]
    }),
    account_deleted: ({ service, at }): MailText => ({
      subject: `Your account at ${service} was deleted`,
      before: [`On ${time(at)} your account at ${service} was deleted, with all its data.`],
      after: ['This is the last message about it.']
    }),
    new_device: ({ service, device, at }): MailText => ({
      subject: `New device at ${service}`,
      before: [`On ${time(at)} somebody logged in to your account at ${service} from a device that had not been used before: ${device}.`],
      after: [NOT_YOU]
    }),
    password_changed: ({ service, at }): MailText => ({
      subject: `Your password for ${service} was changed`,
      before: [`On ${time(at)} the password of your account at ${service} was changed. All other sessions have ended.`],
      after: [NOT_YOU]
    }),
    address_changed: ({ service, at }): MailText => ({
      subject: `This is your e-mail address at ${service} now`,
      before: [`Since ${time(at)} this is the address of your account at ${service}.`],
      after: [NOT_YOU]
    }),
    address_removed: ({ service, at }): MailText => ({
      subject: `This is no longer your e-mail address at ${service}`,
      before: [`Since ${time(at)} this is no longer the address of your account at ${service}: it was taken back by the link that its former address had got. All sessions have ended.`],
      after: [`If this was you, there is nothing to do. If it was not, turn to those who run ${service}.`]
    }),
    identity_linked: ({ service, provider, at }): MailText => ({
      subject: `${provider} was linked to your account at ${service}`,
      before: [`Since ${time(at)} an account at ${provider} can be used to log in to your account at ${service}.`],
      after: ['If this was you, there is nothing to do. If it was not, remove the link, and choose a new password now.']
    }),
    factor_changed: ({ service, factor, change, at }): MailText => ({
      subject: `The security of your account at ${service} was changed`,
      before: [`${FACTORS[factor]} of your account at ${service} was ${CHANGES[change]} on ${time(at)}.`],
      after: [NOT_YOU]
    }),
    wrong_second_factor: ({ service, device, at }): MailText => ({
      subject: `Somebody knows your password for ${service}`,
      before: [`On ${time(at)} somebody entered the right password of your account at ${service}, and then a wrong second factor. The device: ${device}.`],
      after: ['If you mistyped, there is nothing to do. If it was not you, choose a new password now: somebody knows this one.']
    }),
    refresh_token_reused: ({ service, device, at }): MailText => ({
      subject: `A session at ${service} was ended`,
      before: [`On ${time(at)} a credential of your account at ${service} was used twice, as happens when it is stolen. That session has ended. The device: ${device}.`],
      after: ['Log in again there. If you do not know the device, choose a new password now.']
    }),
    test: ({ service }): MailText => ({
      subject: `Test message of ${service}`,
      before: [`This is a test. ${service} can send mail.`],
      after: []
    })
  } satisfies MailTexts as MailTexts,

  pages: enPages,

  mailLayout: {
    code: 'Code',
    unknownDevice: 'unknown',
    footer: ({ service }: { service: string }) => `Sent by ${service}. Answers are not read.`
  }
}
