/** Credentials by node id and field. */
export type Credentials = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
export type CredentialTexts = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Starts a value that is not text (Node-RED keeps a map for its global environment); no password starts with it. */
const JSON_MARK = '\u0000json:';

const mapFields = <From, To>(
  all: Readonly<Record<string, Readonly<Record<string, From>>>>,
  change: (value: From) => To,
): Record<string, Record<string, To>> =>
  Object.fromEntries(
    Object.entries(all).map(([node, fields]) => [
      node,
      Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, change(value)])),
    ]),
  );

/** The gateway keeps texts only; other values of Node-RED go as marked JSON. */
export const toTexts = (all: Credentials): CredentialTexts =>
  mapFields(all, (value) => (typeof value === 'string' ? value : `${JSON_MARK}${JSON.stringify(value)}`));

export const fromTexts = (all: CredentialTexts): Credentials =>
  mapFields(all, (text) => (text.startsWith(JSON_MARK) ? (JSON.parse(text.slice(JSON_MARK.length)) as unknown) : text));
