import { answersOf } from './broker-answer.ts';

/** Answers to a publish (MQTT 5 §3.4.2.1). 0x95 is not allowed there, and Mosquitto sends it. */
export const PUBACK_ANSWERS = answersOf('PUBACK', [
  [0x00, 'Success', 'acknowledged', 'the broker has the batch', 'le serveur a le lot'],
  [
    0x10,
    'No matching subscribers',
    'wait for a receiver',
    'the broker has no subscriber for it; kept',
    'le serveur n’a aucun abonné ; conservé',
  ],
  [
    0x80,
    'Unspecified error',
    'split if others pass',
    'the broker refuses a batch and does not say why; kept, tried again',
    'le serveur refuse un lot sans dire pourquoi ; conservé, réessayé',
  ],
  [
    0x83,
    'Implementation specific error',
    'split if others pass',
    'a rule of the broker refuses a batch; kept, tried again',
    'une règle du serveur refuse un lot ; conservé, réessayé',
  ],
  [
    0x87,
    'Not authorized',
    'probe',
    'this user may not publish to the topic: correct the rights on the broker; kept, tried again',
    'cet utilisateur n’a pas le droit de publier sur ce sujet : corrigez les droits sur le serveur ; conservé, réessayé',
  ],
  [
    0x90,
    'Topic Name invalid',
    'probe',
    'the broker does not take this topic: correct the topic prefix; kept, tried again',
    'le serveur refuse ce sujet : corrigez le préfixe des sujets ; conservé, réessayé',
  ],
  [
    0x91,
    'Packet identifier in use',
    'probe',
    'the broker mixes up message numbers; kept, sent again under another one',
    'le serveur confond les numéros de message ; conservé, renvoyé sous un autre',
  ],
  [
    0x95,
    'Packet too large',
    'split',
    'the batch is too large for the broker: it is split and new ones are made smaller',
    'le lot est trop grand pour le serveur : il est divisé et les suivants sont plus petits',
  ],
  [
    0x97,
    'Quota exceeded',
    'probe',
    'the quota on the broker is used up: ask its operator; kept, tried again',
    'le quota sur le serveur est épuisé : adressez-vous à son exploitant ; conservé, réessayé',
  ],
  [
    0x99,
    'Payload format invalid',
    'split',
    'the broker refuses what is in a batch: the record is looked for and set aside',
    'le serveur refuse le contenu d’un lot : l’enregistrement est recherché et mis de côté',
  ],
]);
