import { answersOf, SLOW_MS } from './broker-answer.ts';

/** What happens to a connection without a word of the broker. */
export const LINE_ANSWERS = answersOf('line', [
  [
    'unreachable',
    'no connection',
    'reconnect',
    'the broker cannot be reached: check its address and the network; data is kept',
    'le serveur est injoignable : vérifiez son adresse et le réseau ; les données sont conservées',
  ],
  [
    'unknown host',
    'name not found',
    'reconnect',
    'the name of the broker is not found: check its address and the name service; data is kept',
    'le nom du serveur est introuvable : vérifiez son adresse et le service de noms ; les données sont conservées',
  ],
  [
    'certificate',
    'TLS handshake failed',
    'reconnect',
    'the broker’s certificate or ours is not accepted: check the certificate files and the clock',
    'le certificat du serveur ou le nôtre n’est pas accepté : vérifiez les fichiers et l’horloge',
    SLOW_MS,
  ],
  [
    'no CONNACK',
    'no CONNACK within 15 s',
    'reconnect',
    'the broker takes the connection and does not answer',
    'le serveur accepte la connexion et ne répond pas',
  ],
  [
    'no PUBACK',
    'no PUBACK within 30 s',
    'reconnect',
    'the broker does not acknowledge in time: the line falters or the broker hangs; the batch goes again',
    'le serveur n’accuse pas réception à temps : ligne ou serveur bloqué ; le lot repart',
  ],
  [
    'half-open',
    'no answer to a ping, or nonsense',
    'reconnect',
    'the broker no longer answers: the line was cut without a word',
    'le serveur ne répond plus : la ligne a été coupée sans avertissement',
  ],
  [
    'closed',
    'connection closed',
    'reconnect',
    'the connection was cut; what was on its way goes again',
    'la connexion a été coupée ; ce qui était en route repart',
  ],
]);
