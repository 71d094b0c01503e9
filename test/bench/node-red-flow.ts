import { BATCH, type Place } from './candidate.ts';

const CREATE_TABLE = 'CREATE TABLE IF NOT EXISTS sample (id INTEGER PRIMARY KEY, at INTEGER, level REAL)';

const PARSE = `const level = Number(String(msg.payload).trim());
if (!Number.isFinite(level)) return null;
msg.params = { $at: Date.now(), $level: level };
return msg;`;

/** Says once that a sample is on disk: the database node sends its message on after the INSERT. */
const SAY_FIRST = `if (!context.get('said')) { context.set('said', true); node.warn('FIRST-ACCEPTED'); }
return null;`;

const SEND = `const batch = context.get('batch') || [];
const flush = () => {
  clearTimeout(context.get('timer')); context.set('timer', null);
  const records = context.get('batch') || []; context.set('batch', []);
  if (records.length > 0) node.send({ topic: 'bench/node-red/batch', qos: 1, payload: JSON.stringify({ records }) });
};
if (msg.aggregate) batch.push(msg.aggregate);
else batch.push({ kind: 'sample', place: 'place-bench', device: 'dev-bench', quantity: 'LAeq', unit: 'dB(A)',
  observedAt: new Date(msg.params.$at).toISOString(), value: msg.params.$level });
context.set('batch', batch);
if (batch.length >= ${BATCH.records}) flush();
else if (!context.get('timer')) context.set('timer', setTimeout(flush, ${BATCH.ageMs}));
return null;`;

const AGGREGATE = `const { $at: at, $level: level } = msg.params;
const start = Math.floor(at / 60000) * 60000;
let w = context.get('window');
let out = null;
if (w && w.start !== start) {
  out = { aggregate: { kind: 'aggregate', quantity: 'LAeq', start: new Date(w.start).toISOString(), count: w.count,
    values: { LAeq: 10 * Math.log10(w.energy / w.count), max: w.max, min: w.min } } };
  w = null;
}
if (!w) w = { start, count: 0, energy: 0, max: -Infinity, min: Infinity };
w.count += 1; w.energy += 10 ** (level / 10);
w.max = Math.max(w.max, level); w.min = Math.min(w.min, level);
context.set('window', w);
return out;`;

const code = (id: string, func: string, wires: readonly string[], at: number): unknown => ({
  id,
  type: 'function',
  z: 't',
  name: id,
  func,
  outputs: 1,
  timeout: 0,
  initialize: '',
  finalize: '',
  libs: [],
  x: at,
  y: 100,
  wires: [wires],
});

/**
 * The same work with the nodes a technician would take: serial in, function, sqlite, mqtt out. The database node leaves
 * `msg.params` as it was, so what follows it works on samples that are on disk.
 */
export const nodeRedFlow = ({ folder, linePath, brokerPort }: Place): unknown[] => [
  { id: 't', type: 'tab', label: 'bench', disabled: false, info: '' },
  { id: 'db', type: 'sqlitedb', db: `${folder}/samples.db`, mode: 'RWC' },
  {
    id: 'port',
    type: 'serial-port',
    name: '',
    serialport: linePath,
    serialbaud: '115200',
    databits: '8',
    parity: 'none',
    stopbits: '1',
    waitfor: '',
    dtr: 'none',
    rts: 'none',
    cts: 'none',
    dsr: 'none',
    newline: '\\n',
    bin: 'false',
    out: 'char',
    addchar: '',
    responsetimeout: '10000',
  },
  {
    id: 'broker',
    type: 'mqtt-broker',
    name: '',
    broker: '127.0.0.1',
    port: String(brokerPort),
    clientid: 'node-red-bench',
    autoConnect: true,
    usetls: false,
    protocolVersion: '5',
    keepalive: '60',
    cleansession: true,
    autoUnsubscribe: true,
  },
  {
    id: 'once',
    type: 'inject',
    z: 't',
    name: '',
    props: [{ p: 'topic', v: CREATE_TABLE, vt: 'str' }],
    repeat: '',
    once: true,
    onceDelay: 0.01,
    x: 50,
    y: 50,
    wires: [['create']],
  },
  {
    id: 'create',
    type: 'sqlite',
    z: 't',
    mydb: 'db',
    sqlquery: 'msg.topic',
    sql: '',
    name: '',
    x: 250,
    y: 50,
    wires: [[]],
  },
  { id: 'in', type: 'serial in', z: 't', name: '', serial: 'port', x: 50, y: 100, wires: [['parse']] },
  code('parse', PARSE, ['insert'], 150),
  {
    id: 'insert',
    type: 'sqlite',
    z: 't',
    mydb: 'db',
    sqlquery: 'prepared',
    sql: 'INSERT INTO sample (at, level) VALUES ($at, $level)',
    name: '',
    x: 300,
    y: 100,
    wires: [['first', 'aggregate', 'send']],
  },
  code('first', SAY_FIRST, [], 450),
  code('aggregate', AGGREGATE, ['send'], 300),
  code('send', SEND, ['mqtt'], 450),
  {
    id: 'mqtt',
    type: 'mqtt out',
    z: 't',
    name: '',
    topic: '',
    qos: '1',
    retain: 'false',
    broker: 'broker',
    x: 600,
    y: 100,
    wires: [],
  },
];
