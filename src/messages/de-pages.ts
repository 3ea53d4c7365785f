import type { enPages } from './en-pages.ts'
import type { Shape } from './shape.ts'

export const dePages: Shape<typeof enPages> = {
  links: {
    register: ({ service }) => ({
      title: 'Registrierung abschließen',
      lead: `Geben Sie das Passwort ein, das Sie bei ${service} gewählt haben. Dann wird Ihr Konto angelegt.`,
      action: 'Registrierung abschließen',
      done: 'Ihr Konto ist fertig, und Sie sind angemeldet.'
    }),
    verify: ({ service }) => ({
      title: 'E-Mail-Adresse bestätigen',
      lead: `Bestätigen Sie, dass diese Adresse zu Ihrem Konto bei ${service} gehört.`,
      action: 'Adresse bestätigen',
      done: 'Ihre Adresse ist bestätigt.'
    }),
    forgot: ({ service }) => ({
      title: 'Neues Passwort anfordern',
      lead: `Ein Link zur Wahl eines neuen Passworts wird an die Adresse Ihres Kontos bei ${service} gesendet.`,
      action: 'Link senden',
      done: 'Wenn es ein Konto mit dieser Adresse gibt, ist eine Nachricht unterwegs. Sehen Sie in Ihrer Post nach.'
    }),
    reset: ({ service }) => ({
      title: 'Neues Passwort wählen',
      lead: `Für Ihr Konto bei ${service}. Alle seine Sitzungen enden.`,
      action: 'Passwort setzen',
      done: 'Ihr Passwort wurde geändert. Melden Sie sich mit dem neuen an.'
    }),
    emailChange: ({ service }) => ({
      title: 'Neue E-Mail-Adresse bestätigen',
      lead: `Für Ihr Konto bei ${service}. Alle seine anderen Sitzungen enden.`,
      action: 'Adresse bestätigen',
      done: 'Ihre E-Mail-Adresse wurde geändert. Melden Sie sich ab jetzt mit der neuen an.'
    }),
    emailRevert: ({ service }) => ({
      title: 'Konto zurückholen',
      lead: `Ihr Konto bei ${service} bekommt seine alte Adresse zurück. Alle Sitzungen enden, und was seither an Zugängen dazugekommen ist, wird entfernt.`,
      action: 'Konto zurückholen',
      done: 'Ihr Konto hat wieder seine alte Adresse. Dorthin ist eine Nachricht unterwegs, mit einem Link, um ein neues Passwort zu wählen.'
    }),
    restore: ({ service }) => ({
      title: 'Konto behalten',
      lead: `Ihr Konto bei ${service} soll gelöscht werden. Bis dahin können Sie es behalten.`,
      action: 'Konto behalten',
      done: 'Ihr Konto bleibt bestehen. Sie können sich wieder anmelden.'
    })
  },
  email: 'E-Mail-Adresse',
  newEmail: 'Neue E-Mail-Adresse',
  password: 'Passwort',
  passwordWhy: 'Das Passwort Ihres Kontos, denn Sie sind hier nicht angemeldet.',
  newPassword: 'Neues Passwort',
  passwordRule: ({ length }) => `Mindestens ${length} Zeichen. Gut sind ein paar Wörter, die zu niemandem sonst gehören.`,
  error: 'Fehler',
  problems: {
    link_invalid: 'Dieser Link ist unvollständig oder ungültig. Öffnen Sie ihn so, wie er in der Nachricht steht, oder fordern Sie einen neuen an.',
    link_used: 'Dieser Link wurde schon benutzt. Wenn Sie das nicht waren, fordern Sie jetzt einen neuen an.',
    link_expired: 'Dieser Link ist zu alt, oder es wurde ein neuerer gesendet. Fordern Sie einen neuen an.',
    invalid_credentials: 'Das ist nicht das Passwort des Kontos.',
    unauthenticated: 'Geben Sie das Passwort des Kontos ein.',
    invalid_token: 'Geben Sie das Passwort des Kontos ein.',
    different_session: 'Dieser Browser ist bei einem anderen Konto angemeldet. Geben Sie das Passwort des Kontos ein, um das es in der Nachricht geht.',
    email_taken: 'Diese Adresse gehört inzwischen zu einem anderen Konto.',
    too_many_failures: 'Das ist zu oft fehlgeschlagen. Melden Sie sich von einem Gerät an, von dem Sie sich schon angemeldet haben, oder wählen Sie ein neues Passwort.',
    account_disabled: 'Dieses Konto ist gesperrt. Wenden Sie sich an den Support.',
    cross_site_request: 'Dieses Formular kam von einer anderen Website und wurde nicht angenommen. Öffnen Sie den Link in der Nachricht noch einmal.',
    too_many_requests: 'Das wurde zu oft versucht. Versuchen Sie es später noch einmal.',
    unavailable: 'Das ist im Moment nicht möglich. Versuchen Sie es in einer Weile noch einmal.',
    other: 'Das hat nicht geklappt. Öffnen Sie den Link in der Nachricht noch einmal.'
  },
  objections: {
    malformed: 'Dieses Passwort ist kein gültiger Text.',
    too_short: 'Dieses Passwort ist zu kurz.',
    too_long: 'Dieses Passwort ist zu lang.',
    too_common: 'Dieses Passwort ist zu verbreitet.',
    contains_email: 'Dieses Passwort besteht aus Ihrer E-Mail-Adresse.',
    contains_name: 'Dieses Passwort besteht aus Ihrem Namen.',
    contains_service_name: 'Dieses Passwort besteht aus dem Namen des Dienstes.',
    other: 'Dieses Passwort kann nicht benutzt werden.'
  }
}
