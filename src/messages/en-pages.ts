/** The texts of one page that a link in a mail leads to. */
export interface LinkPageText {
  title: string
  /** What the button does, before it is pressed. */
  lead: string
  /** The button. */
  action: string
  /** What has happened, after it was pressed. */
  done: string
}

type Of<Data> = (data: Data & { service: string }) => LinkPageText

export const enPages = {
  links: {
    register: (({ service }) => ({
      title: 'Finish signing up',
      lead: `Enter the password that you chose at ${service}. Then your account is made.`,
      action: 'Finish signing up',
      done: 'Your account is ready, and you are logged in.'
    })) satisfies Of<object> as Of<object>,
    verify: (({ service }) => ({
      title: 'Confirm your e-mail address',
      lead: `Confirm that this address belongs to your account at ${service}.`,
      action: 'Confirm the address',
      done: 'Your address is confirmed.'
    })) satisfies Of<object> as Of<object>,
    forgot: (({ service }) => ({
      title: 'Ask for a new password',
      lead: `A link to choose a new password is mailed to the address of your account at ${service}.`,
      action: 'Send the link',
      done: 'If there is an account with this address, a message is on its way. Look into your mail.'
    })) satisfies Of<object> as Of<object>,
    reset: (({ service }) => ({
      title: 'Choose a new password',
      lead: `For your account at ${service}. All its sessions end.`,
      action: 'Set the password',
      done: 'Your password has been changed. Log in with the new one.'
    })) satisfies Of<object> as Of<object>,
    emailChange: (({ service }) => ({
      title: 'Confirm your new e-mail address',
      lead: `For your account at ${service}. All its other sessions end.`,
      action: 'Confirm the address',
      done: 'Your e-mail address has been changed. From now on, log in with the new one.'
    })) satisfies Of<object> as Of<object>,
    emailRevert: (({ service }) => ({
      title: 'Take your account back',
      lead: `Your account at ${service} gets its old address back. All sessions end, and whatever was added since as a way to log in is removed.`,
      action: 'Take the account back',
      done: 'Your account has its old address again. A message with a link to choose a new password is on its way to it.'
    })) satisfies Of<object> as Of<object>,
    restore: (({ service }) => ({
      title: 'Keep your account',
      lead: `Your account at ${service} is to be deleted. It can be kept until then.`,
      action: 'Keep the account',
      done: 'Your account is kept. You can log in again.'
    })) satisfies Of<object> as Of<object>
  },
  email: 'E-mail address',
  newEmail: 'New e-mail address',
  password: 'Password',
  passwordWhy: 'The password of your account, because you are not logged in here.',
  newPassword: 'New password',
  passwordRule: ({ length }: { length: number }) => `At least ${length} characters. A few words that belong to nobody else are a good one.`,
  error: 'Error',
  problems: {
    link_invalid: 'This link is not complete, or not valid. Open it as it stands in the message, or ask for a new one.',
    link_used: 'This link has been used already. If that was not you, ask for a new one now.',
    link_expired: 'This link is too old, or a newer one was sent. Ask for a new one.',
    invalid_credentials: 'This is not the password of the account.',
    unauthenticated: 'Enter the password of the account.',
    invalid_token: 'Enter the password of the account.',
    different_session: 'This browser is logged in to another account. Enter the password of the account that the message is about.',
    email_taken: 'This address belongs to another account by now.',
    too_many_failures: 'That failed too often. Log in from a device where you have logged in before, or choose a new password.',
    account_disabled: 'This account is disabled. Ask support.',
    cross_site_request: 'This form was sent from another site, and was not accepted. Open the link in the message again.',
    too_many_requests: 'That was tried too often. Try again later.',
    unavailable: 'That is not possible at the moment. Try again in a while.',
    other: 'That did not work. Open the link in the message again.'
  },
  objections: {
    malformed: 'This password is not valid text.',
    too_short: 'This password is too short.',
    too_long: 'This password is too long.',
    too_common: 'This password is too common.',
    contains_email: 'This password is made of your e-mail address.',
    contains_name: 'This password is made of your name.',
    contains_service_name: 'This password is made of the name of the service.',
    other: 'This password cannot be used.'
  }
}
