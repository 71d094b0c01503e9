/** The technician's page: what the gateway does now, asked again every few seconds. */
import { language, number, put, size, text, when } from './texts.js';

const REFRESH_MS = 3000;
/** A phone shows this many series; the search finds the others. */
const MAX_SERIES_SHOWN = 150;
const element = (id) => document.getElementById(id);

document.documentElement.lang = language;
for (const node of document.querySelectorAll('[data-text]')) node.textContent = text[node.dataset.text];
element('filter').placeholder = text.filter;
element('filter').setAttribute('aria-label', text.filter);

/** Names of the quantities by id; empty until the catalogue is read. */
let names = new Map();
let latest = [];

/** Only text nodes: nothing that a device sends becomes markup. */
function row(parts) {
  const item = document.createElement('li');
  for (const [className, content] of parts) {
    const span = document.createElement('span');
    span.className = className;
    span.textContent = content;
    item.append(span);
  }
  return item;
}

function fill(id, rows) {
  element(id).replaceChildren(...(rows.length === 0 ? [row([['detail', text.none]])] : rows));
}

async function get(path) {
  const answer = await fetch(path, { headers: { accept: 'application/json' } });
  if (answer.status === 401) throw new Error('login');
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

function showLink(state) {
  element('link').hidden = false;
  element('link').className = `badge ${state}`;
  element('link').textContent = state === 'ok' ? text.online : text.offline;
}

function flowText({ running, faults }) {
  const version = running === 0 ? text.noFlow : put(text.version, { n: running });
  return faults.length === 0 ? version : `${version} · ${text.flowFaults}`;
}

function diskText(disk) {
  const room = put(text.room, { used: size(disk.storeBytes), free: size(disk.freeBytes) });
  if (disk.outageDays === null) return room;
  const days = put(text.outageDays, { n: number.format(Math.floor(disk.outageDays)) });
  return `${room} · ${days}, ${disk.limitBytes === null ? text.thenRefused : text.thenThinned}`;
}

function showClock({ quality, heldRecords }) {
  element('clock').hidden = quality === 'set';
  element('clock-notice').textContent = put(text.clockNotice, { n: number.format(heldRecords) });
}

function showSummary(status) {
  const { backlog, clock } = status;
  const since = backlog.oldestAt === null ? '' : put(text.since, { t: when(backlog.oldestAt) });
  const facts = [
    [text.flow, flowText(status.flow)],
    [text.accepted, number.format(status.acceptedTotal)],
    [text.backlog, `${number.format(backlog.records)} ${text.records}${since}`],
    [text.clock, `${when(clock.now)} · ${text.clockFrom[clock.source]}`],
    [text.disk, diskText(status.disk)],
    [text.atRisk, put(text.lastMs, { n: number.format(status.atRiskMs) })],
  ];
  element('gateway').textContent = status.gateway;
  element('summary').replaceChildren(
    ...facts.flatMap(([name, value]) => {
      const term = document.createElement('dt');
      const detail = document.createElement('dd');
      term.textContent = name;
      detail.textContent = value;
      return [term, detail];
    }),
  );
}

function showStages(stages) {
  fill(
    'stages',
    stages.map((stage) =>
      row([
        [`badge ${stage.state}`, text[stage.state]],
        ['name', stage.name || stage.id],
        ['detail', `${text.stage[stage.stage] ?? stage.stage} · ${stage.text[language]}`],
      ]),
    ),
  );
}

const valueText = ({ value, unit }) =>
  value === null ? text.missing : `${number.format(value)}${unit === '1' ? '' : ` ${unit}`}`;

function sampleRow(record) {
  const name = names.get(record.quantity) ?? record.quantity;
  return row([
    ['quantity', record.channel === '' ? name : `${name} (${record.channel})`],
    ['detail', when(record.observedAt)],
    ['value', valueText(record)],
  ]);
}

function placeRow(place) {
  const item = row([['name', place]]);
  item.className = 'place';
  return item;
}

/** Series by place, those that the search leaves, as many as a phone can show. */
function showLatest() {
  const wanted = element('filter').value.trim().toLowerCase();
  const found = latest
    .filter(({ place, quantity }) => `${place} ${quantity} ${names.get(quantity) ?? ''}`.toLowerCase().includes(wanted))
    .toSorted((a, b) => a.place.localeCompare(b.place));
  const rows = [];
  let place = null;
  for (const record of found.slice(0, MAX_SERIES_SHOWN)) {
    if (record.place !== place) rows.push(placeRow(record.place));
    place = record.place;
    rows.push(sampleRow(record));
  }
  if (found.length > MAX_SERIES_SHOWN)
    rows.push(row([['detail', put(text.more, { n: found.length - MAX_SERIES_SHOWN })]]));
  fill('latest', rows);
}

function showHeard(heard) {
  fill(
    'heard',
    heard.map((one) =>
      row([
        ['name', one.devEui || one.devAddr],
        [
          'detail',
          `${text.reason[one.reason] ?? one.reason} · ${put(text.times, { n: number.format(one.count) })} · ${when(one.lastAt)}`,
        ],
        ['value', one.rssiDbm === null ? '' : `${number.format(one.rssiDbm)} dBm`],
      ]),
    ),
  );
}

async function readNames() {
  if (names.size > 0) return;
  const catalogue = await get('/v1/quantities');
  names = new Map(catalogue.map(({ id, name }) => [id, name[language]]));
}

function askForToken() {
  element('login').hidden = false;
  element('content').hidden = true;
  element('link').hidden = true;
}

async function refresh() {
  try {
    const [status, heard, records] = await Promise.all([
      get('/v1/status'),
      get('/v1/heard'),
      get('/v1/latest'),
      readNames(),
    ]);
    element('login').hidden = true;
    element('content').hidden = false;
    showLink('ok');
    showClock(status.clock);
    showSummary(status);
    showStages(status.stages);
    latest = records;
    showLatest();
    showHeard(heard);
  } catch (error) {
    if (error instanceof Error && error.message === 'login') askForToken();
    else showLink('failed');
  }
}

async function login(token) {
  try {
    const answer = await fetch('/v1/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    element('login-error').textContent = answer.ok ? '' : text.wrong;
    element('token').value = '';
    if (answer.ok) await refresh();
  } catch {
    // The gateway is out of reach: the next refresh says so, and the form stays.
    showLink('failed');
  }
}

element('login').addEventListener('submit', (event) => {
  event.preventDefault();
  void login(element('token').value);
});
element('filter').addEventListener('input', showLatest);

async function usePhoneTime() {
  try {
    const answer = await fetch('/v1/clock', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ now: new Date().toISOString() }),
    });
    element('clock-error').textContent = answer.ok ? '' : text.clockRefused;
    await refresh();
  } catch {
    // The gateway is out of reach: the notice stays.
    showLink('failed');
  }
}

element('clock-use').addEventListener('click', () => void usePhoneTime());

/** One request at a time, and none while nobody looks. */
async function keepFresh() {
  if (!document.hidden) await refresh();
  setTimeout(() => void keepFresh(), REFRESH_MS);
}

const given = new URLSearchParams(location.hash.slice(1)).get('token');
if (given !== null) {
  history.replaceState(null, '', location.pathname);
  await login(given);
}
await keepFresh();
