/** What the page says, in French and English; French is the language of every browser that does not ask for English. */
const TEXTS = {
  fr: {
    token: 'Jeton d’accès',
    enter: 'Entrer',
    tokenHint: 'Le jeton est dans le fichier api-token du dossier de données.',
    wrong: 'Jeton refusé.',
    summary: 'État',
    stages: 'Étapes',
    latest: 'Dernières mesures',
    heard: 'Entendus, inconnus du registre',
    none: 'rien pour l’instant',
    online: 'en direct',
    offline: 'passerelle injoignable',
    flow: 'Flux',
    accepted: 'Mesures acceptées',
    backlog: 'En attente d’envoi',
    disk: 'Disque',
    clock: 'Horloge',
    records: 'enregistrements',
    since: ', depuis {t}',
    ok: 'marche',
    waiting: 'attend',
    failed: 'en faute',
    atRisk: 'À risque',
    lastMs: 'les dernières {n} ms',
    times: '{n} fois',
    version: 'version {n}',
    noFlow: 'aucun',
    flowFaults: 'le plus récent a des fautes',
    room: '{used} utilisés, {free} libres',
    outageDays: 'place pour {n} jours de coupure',
    thenThinned: 'ensuite les plus anciennes données perdent en résolution',
    thenRefused: 'ensuite les nouvelles données sont refusées',
    clockFrom: {
      'time-service': 'réglée par le réseau',
      gps: 'réglée par le GPS',
      phone: 'réglée par un téléphone',
      system: 'réglage inconnu',
      none: 'pas encore réglée',
    },
    clockNotice:
      'L’horloge de la passerelle n’est pas réglée. Les mesures sont gardées et attendent, au plus un jour, avant d’être envoyées : {n} à présent.',
    clockUse: 'Prendre l’heure de ce téléphone',
    clockRefused: 'L’heure de ce téléphone a été refusée.',
    missing: 'manquante',
    filter: 'Chercher un lieu ou une grandeur',
    more: 'et {n} autres : précisez la recherche',
    sizeUnits: ['Mo', 'Go'],
    stage: {
      store: 'stockage',
      port: 'port série',
      concentrator: 'concentrateur',
      broker: 'serveur',
      stream: 'flux d’envoi',
      editor: 'éditeur',
    },
    reason: {
      'unknown-device': 'adresse inconnue',
      'bad-mic': 'clé fausse, ou autre réseau',
      'unknown-join': 'demande à joindre, inconnu',
      'known-join': 'demande à joindre, activation OTAA pas encore prise en charge',
    },
  },
  en: {
    token: 'Access token',
    enter: 'Enter',
    tokenHint: 'The token is in the file api-token of the data directory.',
    wrong: 'Token refused.',
    summary: 'State',
    stages: 'Stages',
    latest: 'Latest samples',
    heard: 'Heard, not in the registry',
    none: 'nothing yet',
    online: 'live',
    offline: 'gateway out of reach',
    flow: 'Flow',
    accepted: 'Samples accepted',
    backlog: 'Waiting to be sent',
    disk: 'Disk',
    clock: 'Clock',
    records: 'records',
    since: ', since {t}',
    ok: 'works',
    waiting: 'waits',
    failed: 'fault',
    atRisk: 'At risk',
    lastMs: 'the last {n} ms',
    times: '{n} times',
    version: 'version {n}',
    noFlow: 'none',
    flowFaults: 'the newest has faults',
    room: '{used} used, {free} free',
    outageDays: 'room for {n} days of outage',
    thenThinned: 'then the oldest data loses resolution',
    thenRefused: 'then new data is refused',
    clockFrom: {
      'time-service': 'set by a time service',
      gps: 'set by GPS',
      phone: 'set by a phone',
      system: 'setting unknown',
      none: 'not set yet',
    },
    clockNotice:
      'The clock of the gateway is not set. Samples are kept and wait, at most a day, before they are sent: {n} now.',
    clockUse: 'Use this phone’s time',
    clockRefused: 'The time of this phone was refused.',
    missing: 'missing',
    filter: 'Find a place or a quantity',
    more: 'and {n} more: narrow the search',
    sizeUnits: ['MB', 'GB'],
    stage: {
      store: 'store',
      port: 'serial port',
      concentrator: 'concentrator',
      broker: 'broker',
      stream: 'stream',
      editor: 'editor',
    },
    reason: {
      'unknown-device': 'unknown address',
      'bad-mic': 'wrong key, or another network',
      'unknown-join': 'asks to join, unknown',
      'known-join': 'asks to join, OTAA is not supported yet',
    },
  },
};

const wanted = navigator.language;
export const language = wanted.toLowerCase().startsWith('en') ? 'en' : 'fr';
export const text = TEXTS[language];
/** The browser's own region for numbers and dates where the page speaks its language. */
const locale = wanted.toLowerCase().startsWith(language) ? wanted : language;

export const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
const timeOfDay = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
const dayAndTime = new Intl.DateTimeFormat(locale, { dateStyle: 'short', timeStyle: 'short' });

/** Puts a value into a text's `{name}`. */
export const put = (template, values) => template.replaceAll(/\{(\w+)\}/g, (_all, name) => values[name]);

/** The time of today, else the day too. */
export function when(instant) {
  const date = new Date(instant);
  return date.toDateString() === new Date().toDateString() ? timeOfDay.format(date) : dayAndTime.format(date);
}

export function size(bytes) {
  const isBig = bytes >= 1e9;
  return `${number.format(bytes / (isBig ? 1e9 : 1e6))} ${text.sizeUnits[isBig ? 1 : 0]}`;
}
