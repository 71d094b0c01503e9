import type { Text } from '../model/text.ts';

interface CodeFacts {
  /** What a technician does about it. */
  readonly hint: Text;
  /** Whether trying the same again later may work. */
  readonly retryable: boolean;
}

const code = (retryable: boolean, en: string, fr: string): CodeFacts => ({ retryable, hint: { en, fr } });

/** Every stable error code. `docs/errors.md` lists them; a test holds both together. */
export const ERROR_CODES = {
  USAGE: code(false, "Read the command's --help.", "Lisez l'aide de la commande (--help)."),
  INTERNAL: code(
    false,
    'This is a fault of ours: send the log to the maintainers.',
    "C'est une erreur du logiciel : envoyez le journal aux mainteneurs.",
  ),
  FLOW_INVALID: code(
    false,
    'Correct the nodes named in the list, then deploy again.',
    'Corrigez les nœuds de la liste, puis déployez à nouveau.',
  ),
  FLOW_NOT_JSON: code(
    false,
    'Export the flow again from the editor as JSON.',
    "Exportez à nouveau le flux depuis l'éditeur au format JSON.",
  ),
  FLOW_CONFLICT: code(
    false,
    'Somebody deployed in between: reload the editor and merge.',
    "Quelqu'un a déployé entre-temps : rechargez l'éditeur et fusionnez.",
  ),
  FLOW_VERSION_UNKNOWN: code(
    false,
    'List the versions with "cigale flow history".',
    'Listez les versions avec « cigale flow history ».',
  ),
  STORE_LOCKED: code(
    false,
    'Another gateway runs on this data directory: stop it first, or give another --data.',
    'Une autre passerelle utilise ce dossier de données : arrêtez-la, ou donnez un autre --data.',
  ),
  STORE_OPEN_FAILED: code(
    false,
    'Check that the data directory exists, belongs to the service user and is not read-only.',
    "Vérifiez que le dossier de données existe, appartient à l'utilisateur du service et n'est pas en lecture seule.",
  ),
  STORE_SQLITE_REFUSED: code(
    false,
    'This SQLite can damage the store: install the gateway anew with its own libraries, or set CIGALE_SQLITE_DRIVER=node:sqlite.',
    'Ce SQLite peut abîmer le stockage : réinstallez la passerelle avec ses bibliothèques, ou mettez CIGALE_SQLITE_DRIVER=node:sqlite.',
  ),
  STORE_CORRUPT: code(
    false,
    'Restart the gateway: it sets the damaged store aside and carries over what can be read. Then replace the SD card.',
    'Redémarrez la passerelle : elle met de côté le stockage abîmé et reprend ce qui est lisible. Puis changez la carte SD.',
  ),
  STORE_TOO_NEW: code(
    false,
    'This store was written by a newer version: install that version again.',
    "Ce stockage vient d'une version plus récente : réinstallez cette version.",
  ),
  STORE_FULL: code(
    true,
    'Free disk space or raise diskLimitMb on the gateway node.',
    "Libérez de l'espace disque ou augmentez diskLimitMb sur le nœud passerelle.",
  ),
  STORE_IO: code(
    true,
    'The disk refuses writing: check the SD card and the system log.',
    "Le disque refuse l'écriture : vérifiez la carte SD et le journal système.",
  ),
  STORE_CONSTRAINT: code(
    false,
    'The store refused one write as contradictory; the others went on. Send the log to the maintainers.',
    'Le stockage a refusé une écriture contradictoire ; les autres ont continué. Envoyez le journal aux mainteneurs.',
  ),
  STORE_BACKPRESSURE: code(
    true,
    'The disk is slower than the sensors: check the SD card, or poll less often.',
    'Le disque est plus lent que les capteurs : vérifiez la carte SD, ou interrogez moins souvent.',
  ),
  STORE_CLOSED: code(false, 'The gateway is stopping.', "La passerelle s'arrête."),
  SERIAL_OPEN_FAILED: code(true, "Check the cable and the port's path.", 'Vérifiez le câble et le chemin du port.'),
  SERIAL_PORT_BUSY: code(
    true,
    'Another program holds the port: close it.',
    'Un autre programme utilise le port : fermez-le.',
  ),
  SERIAL_PERMISSION: code(
    true,
    'Add the service user to the group that owns the port (dialout).',
    "Ajoutez l'utilisateur du service au groupe propriétaire du port (dialout).",
  ),
  SERIAL_DISCONNECTED: code(
    true,
    'Plug the sensor in again: the gateway reopens the port by itself.',
    'Rebranchez le capteur : la passerelle rouvre le port toute seule.',
  ),
  SERIAL_WRITE_STALLED: code(
    true,
    'The device does not take its commands: check cable, wiring and flow control.',
    "L'appareil ne prend pas ses commandes : vérifiez le câble, le câblage et le contrôle de flux.",
  ),
  LORA_BIND_FAILED: code(
    true,
    'Another program uses this UDP port, or the address is not of this machine.',
    "Un autre programme utilise ce port UDP, ou l'adresse n'est pas celle de cette machine.",
  ),
  CODEC_INVALID: code(
    false,
    'Correct the script: it must define decodeUplink(input) as TS013 says.',
    'Corrigez le script : il doit définir decodeUplink(input) comme le dit TS013.',
  ),
  CODEC_FAILED: code(false, 'Test the codec with "cigale codec test".', 'Testez le codec avec « cigale codec test ».'),
  CODEC_TIMEOUT: code(
    false,
    'The codec runs too long: look for an endless loop.',
    'Le codec est trop long : cherchez une boucle sans fin.',
  ),
  CODEC_MISSING: code(false, 'Add it with "cigale codec add".', 'Ajoutez-le avec « cigale codec add ».'),
  CODEC_UNAVAILABLE: code(
    true,
    'The raw frame is kept and decoded after the next start.',
    'La trame brute est conservée et sera décodée au prochain démarrage.',
  ),
  REGISTRY_CSV_INVALID: code(
    false,
    'Correct the lines named in the list; nothing was imported.',
    "Corrigez les lignes de la liste ; rien n'a été importé.",
  ),
  REGISTRY_NOT_FOUND: code(
    false,
    'Check the identifier with "cigale devices list".',
    "Vérifiez l'identifiant avec « cigale devices list ».",
  ),
  REGISTRY_CONFLICT: code(
    false,
    'This device or address is already used by another entry.',
    'Cet appareil ou cette adresse est déjà utilisé ailleurs.',
  ),
  SECRET_UNREADABLE: code(
    false,
    'The key file secret.key does not belong to this store: restore it, or enter the keys again.',
    'Le fichier de clé secret.key ne correspond pas à ce stockage : restaurez-le, ou saisissez à nouveau les clés.',
  ),
  STREAM_UNKNOWN: code(
    false,
    'List the streams with "cigale stream list".',
    "Listez les flux d'envoi avec « cigale stream list ».",
  ),
  STREAM_IN_USE: code(
    false,
    'Take its send node out of the flow and deploy first: dropping a stream loses what it holds.',
    "Retirez d'abord du flux son nœud d'envoi et déployez : la supprimer perd ce qu'elle contient.",
  ),
  CLOCK_ALREADY_SET: code(
    false,
    'Nothing to do: a time service keeps the clock, or CIGALE_CLOCK=trust says that it is right.',
    "Rien à faire : un service de temps tient l'horloge à l'heure, ou CIGALE_CLOCK=trust dit qu'elle l'est.",
  ),
  BROKER_UNREACHABLE: code(
    true,
    "Check the broker's address and the network; data is kept meanwhile.",
    "Vérifiez l'adresse du serveur et le réseau ; les données sont conservées entre-temps.",
  ),
  BROKER_REFUSED: code(
    true,
    'Check user, password and certificate of the broker node.',
    "Vérifiez l'utilisateur, le mot de passe et le certificat du nœud serveur.",
  ),
  BROKER_CONFIG: code(
    false,
    'Correct the broker node: its URL or certificate files cannot be used.',
    'Corrigez le nœud serveur : son URL ou ses fichiers de certificat sont inutilisables.',
  ),
  GATEWAY_NOT_RUNNING: code(
    true,
    'Start it with "cigale run", or give the right --data.',
    'Démarrez-la avec « cigale run », ou donnez le bon --data.',
  ),
  GATEWAY_DENIED: code(
    false,
    "Run the command as the gateway's user, or with sudo.",
    "Lancez la commande sous l'utilisateur de la passerelle, ou avec sudo.",
  ),
  API_TOO_LARGE: code(
    false,
    'Send it in several parts: docs/api.md gives the limits.',
    'Envoyez-le en plusieurs parties : docs/api.md donne les limites.',
  ),
  API_BUSY: code(
    true,
    'Too many readers at once: close other pages and tools, then try again.',
    "Trop de lecteurs à la fois : fermez d'autres pages et outils, puis réessayez.",
  ),
  API_BAD_REQUEST: code(false, 'Read docs/api.md.', 'Lisez docs/api.md.'),
  API_NOT_FOUND: code(false, 'Read docs/api.md for what exists.', 'Lisez docs/api.md pour ce qui existe.'),
  API_UNAUTHORIZED: code(
    false,
    'Give the token from the file api-token of the data directory.',
    'Donnez le jeton du fichier api-token du dossier de données.',
  ),
  API_FORBIDDEN: code(false, 'This socket may not do that.', "Cette connexion n'a pas ce droit."),
  API_LISTEN_FAILED: code(
    false,
    'Another program uses this address: choose another for --api.',
    'Un autre programme utilise cette adresse : choisissez-en une autre pour --api.',
  ),
  EDITOR_FAILED: code(
    true,
    'The gateway goes on without the editor; the log says why it ended.',
    "La passerelle continue sans l'éditeur ; le journal dit pourquoi il s'est arrêté.",
  ),
  EDITOR_NOT_LOOPBACK: code(
    false,
    'The editor has no login: let it listen on 127.0.0.1 and reach it through an SSH tunnel.',
    "L'éditeur n'a pas de mot de passe : faites-le écouter sur 127.0.0.1 et joignez-le par un tunnel SSH.",
  ),
  INJECTION_REFUSED: code(
    false,
    'Send an object with place, quantity and value; docs/editor.md says more.',
    'Envoyez un objet avec place, quantity et value ; voir docs/editor.md.',
  ),
  FILE_UNREADABLE: code(
    false,
    "Check the file's path and permissions.",
    'Vérifiez le chemin et les droits du fichier.',
  ),
  FILE_UNWRITABLE: code(
    false,
    "Check the folder's path and permissions.",
    'Vérifiez le chemin et les droits du dossier.',
  ),
} as const satisfies Record<string, CodeFacts>;

export type ErrorCode = keyof typeof ERROR_CODES;
