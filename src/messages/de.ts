import type { en } from './en.ts'
import { dePages } from './de-pages.ts'
import { formatInstant } from './format.ts'
import type { Shape } from './shape.ts'

const time = (at: string) => formatInstant('de', at)
const NOT_YOU = 'Wenn Sie das waren, ist nichts zu tun. Wenn nicht, wählen Sie jetzt ein neues Passwort: Das beendet alle Sitzungen.'
const IGNORE = 'Wenn Sie das nicht angefordert haben, ignorieren Sie diese Nachricht: Es hat sich nichts geändert.'
const valid = (minutes: number) => `${minutes} Minuten und nur einmal gültig. Geben Sie den Code niemandem weiter.`
const linkValid = (minutes: number) => `Der Link ist ${minutes} Minuten und nur einmal gültig.`

const FACTORS = { totp: 'Die Authenticator-App', passkey: 'Ein Passkey', recovery_codes: 'Der Satz Wiederherstellungscodes' }
const CHANGES = { added: 'hinzugefügt', removed: 'entfernt', renewed: 'erneuert' }

export const de: Shape<typeof en> = {
  mail: {
    verify_email: ({ service, code, minutes }) => ({
      subject: `Bestätigen Sie Ihre E-Mail-Adresse für ${service}`,
      before: [`Bitte bestätigen Sie, dass diese Adresse zu Ihrem Konto bei ${service} gehört.`],
      action: 'Adresse bestätigen',
      after: [code === undefined ? linkValid(minutes) : valid(minutes), 'Wenn Sie dort kein Konto haben, ignorieren Sie diese Nachricht.']
    }),
    register_code: ({ service, minutes }) => ({
      subject: `Schließen Sie die Registrierung bei ${service} ab`,
      before: [`Um die Registrierung bei ${service} abzuschließen, geben Sie diesen Code dort ein, wo Sie begonnen haben, oder öffnen Sie den Link.`],
      action: 'Registrierung abschließen',
      after: [valid(minutes), IGNORE]
    }),
    existing_account: ({ service }) => ({
      subject: `Sie haben schon ein Konto bei ${service}`,
      before: [`Jemand, wahrscheinlich Sie selbst, wollte sich mit dieser Adresse bei ${service} registrieren. Sie hat dort schon ein Konto: Melden Sie sich wie gewohnt an.`, 'Wenn Sie das Passwort nicht mehr wissen, können Sie ein neues wählen.'],
      action: 'Neues Passwort wählen',
      after: ['Wenn Sie das nicht waren, ignorieren Sie diese Nachricht: Es hat sich nichts geändert.']
    }),
    password_reset: ({ service, code, minutes }) => ({
      subject: `Wählen Sie ein neues Passwort für ${service}`,
      before: [`Für Ihr Konto bei ${service} wurde ein neues Passwort angefordert.`],
      action: 'Neues Passwort wählen',
      after: [code === undefined ? linkValid(minutes) : valid(minutes), 'Wenn Sie das nicht angefordert haben, ignorieren Sie diese Nachricht: Ihr Passwort bleibt, wie es ist.']
    }),
    invitation: ({ service, days }) => ({
      subject: `Ihr Konto bei ${service}`,
      before: [`Für Sie wurde ein Konto bei ${service} angelegt. Wählen Sie ein Passwort, um es zu benutzen.`],
      action: 'Passwort wählen',
      after: [`Der Link ist ${days} Tage und nur einmal gültig.`]
    }),
    login_code: ({ service, minutes }) => ({
      subject: `Ihr Code für ${service}`,
      before: [`Mit diesem Code melden Sie sich bei ${service} an.`],
      after: [valid(minutes), 'Wenn Sie das nicht angefordert haben, ignorieren Sie diese Nachricht: Ohne den Code kommt niemand hinein.']
    }),
    email_change: ({ service, minutes }) => ({
      subject: `Bestätigen Sie Ihre neue E-Mail-Adresse für ${service}`,
      before: [`Diese Adresse soll die neue eines Kontos bei ${service} werden.`],
      action: 'Adresse bestätigen',
      after: [valid(minutes), IGNORE]
    }),
    email_change_asked: ({ service, email, at }) => ({
      subject: `Bei ${service} wurde eine neue E-Mail-Adresse angefordert`,
      before: [`Am ${time(at)} wollte jemand die Adresse Ihres Kontos bei ${service} in ${email} ändern. Bis jene bestätigt ist, bleibt Ihre gültig.`],
      after: [NOT_YOU]
    }),
    email_changed: ({ service, email, at, days }) => ({
      subject: `Ihre E-Mail-Adresse bei ${service} wurde geändert`,
      before: [`Seit ${time(at)} ist ${email} die Adresse Ihres Kontos bei ${service}. Mit dieser hier können Sie sich nicht mehr anmelden.`, 'Wenn Sie das nicht waren, holen Sie das Konto zurück: Die alte Adresse gilt wieder, alle Sitzungen enden, und Sie wählen ein neues Passwort.'],
      action: 'Konto zurückholen',
      after: [`Der Link ist ${days} Tage gültig.`]
    }),
    email_reverted: ({ service, at }) => ({
      subject: `Ihre E-Mail-Adresse bei ${service} gilt wieder`,
      before: [`Seit ${time(at)} ist dies wieder die Adresse Ihres Kontos bei ${service}. Alle Sitzungen sind beendet, und jeder inzwischen hinzugefügte Zugang ist entfernt.`],
      after: ['Eine zweite Nachricht bringt einen Link, mit dem Sie ein neues Passwort wählen.']
    }),
    deletion_scheduled: ({ service, until }) => ({
      subject: `Ihr Konto bei ${service} wird gelöscht`,
      before: [`Ihr Konto bei ${service} wird am ${time(until)} mit allen Daten gelöscht. Bis dahin können Sie es behalten.`],
      action: 'Konto behalten',
      after: ['Wenn es gelöscht werden soll, ist nichts zu tun.']
    }),
    account_restored: ({ service, at }) => ({
      subject: `Ihr Konto bei ${service} bleibt bestehen`,
      before: [`Seit ${time(at)} wird Ihr Konto bei ${service} nicht mehr gelöscht.`],
      after: [NOT_YOU]
    }),
    account_deleted: ({ service, at }) => ({
      subject: `Ihr Konto bei ${service} wurde gelöscht`,
      before: [`Am ${time(at)} wurde Ihr Konto bei ${service} mit allen Daten gelöscht.`],
      after: ['Dies ist die letzte Nachricht dazu.']
    }),
    new_device: ({ service, device, at }) => ({
      subject: `Neues Gerät bei ${service}`,
      before: [`Am ${time(at)} hat sich jemand mit einem bisher unbekannten Gerät bei Ihrem Konto bei ${service} angemeldet: ${device}.`],
      after: [NOT_YOU]
    }),
    password_changed: ({ service, at }) => ({
      subject: `Ihr Passwort für ${service} wurde geändert`,
      before: [`Am ${time(at)} wurde das Passwort Ihres Kontos bei ${service} geändert. Alle anderen Sitzungen sind beendet.`],
      after: [NOT_YOU]
    }),
    address_changed: ({ service, at }) => ({
      subject: `Dies ist jetzt Ihre E-Mail-Adresse bei ${service}`,
      before: [`Seit ${time(at)} ist dies die Adresse Ihres Kontos bei ${service}.`],
      after: [NOT_YOU]
    }),
    address_removed: ({ service, at }) => ({
      subject: `Dies ist nicht mehr Ihre E-Mail-Adresse bei ${service}`,
      before: [`Seit ${time(at)} ist dies nicht mehr die Adresse Ihres Kontos bei ${service}: Es wurde mit dem Link zurückgeholt, den seine frühere Adresse bekommen hatte. Alle Sitzungen sind beendet.`],
      after: [`Wenn Sie das waren, ist nichts zu tun. Wenn nicht, wenden Sie sich an die Betreiber von ${service}.`]
    }),
    identity_linked: ({ service, provider, at }) => ({
      subject: `${provider} wurde mit Ihrem Konto bei ${service} verknüpft`,
      before: [`Seit ${time(at)} kann man sich mit einem Konto bei ${provider} bei Ihrem Konto bei ${service} anmelden.`],
      after: ['Wenn Sie das waren, ist nichts zu tun. Wenn nicht, entfernen Sie die Verknüpfung und wählen Sie jetzt ein neues Passwort.']
    }),
    factor_changed: ({ service, factor, change, at }) => ({
      subject: `Die Sicherheit Ihres Kontos bei ${service} wurde geändert`,
      before: [`${FACTORS[factor]} Ihres Kontos bei ${service} wurde am ${time(at)} ${CHANGES[change]}.`],
      after: [NOT_YOU]
    }),
    wrong_second_factor: ({ service, device, at }) => ({
      subject: `Jemand kennt Ihr Passwort für ${service}`,
      before: [`Am ${time(at)} hat jemand das richtige Passwort Ihres Kontos bei ${service} eingegeben und danach einen falschen zweiten Faktor. Das Gerät: ${device}.`],
      after: ['Wenn Sie sich vertippt haben, ist nichts zu tun. Wenn Sie das nicht waren, wählen Sie jetzt ein neues Passwort: Jemand kennt dieses.']
    }),
    refresh_token_reused: ({ service, device, at }) => ({
      subject: `Eine Sitzung bei ${service} wurde beendet`,
      before: [`Am ${time(at)} wurde ein Zugangsschlüssel Ihres Kontos bei ${service} zweimal benutzt, wie es nach einem Diebstahl geschieht. Diese Sitzung ist beendet. Das Gerät: ${device}.`],
      after: ['Melden Sie sich dort neu an. Wenn Sie das Gerät nicht kennen, wählen Sie jetzt ein neues Passwort.']
    }),
    test: ({ service }) => ({
      subject: `Testnachricht von ${service}`,
      before: [`Dies ist ein Test. ${service} kann E-Mails versenden.`],
      after: []
    })
  },

  pages: dePages,

  mailLayout: {
    code: 'Code',
    unknownDevice: 'unbekannt',
    footer: ({ service }) => `Gesendet von ${service}. Antworten werden nicht gelesen.`
  }
}
