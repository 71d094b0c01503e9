import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Clock, Timer } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { background, type Service } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import { Backoff } from '../runtime/retry.ts';
import { answered, type GatewayClient } from './gateway-client.ts';

/** The gateway sends a heartbeat every 15 s; a stream silent for three of them is dead. */
const SILENCE_MS = 45_000;
/** One event is one record; a longer one is dropped with its stream. */
const MAX_EVENT_CHARACTERS = 1024 * 1024;

interface StreamListener {
  onEvent(event: string, data: unknown): void;
  onConnected(connected: boolean): void;
}

interface Parts {
  readonly client: GatewayClient;
  readonly listener: StreamListener;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** The gateway's server-sent events (`GET /v1/events`), reconnected for as long as the process lives. */
export class EventStream implements Service {
  readonly #parts: Parts;
  readonly #backoff: Backoff;
  #request: ClientRequest | undefined;
  #timer: Timer | undefined;
  #silence: Timer | undefined;
  #stopped = true;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#backoff = new Backoff({ firstMs: 500, maxMs: 15_000, jitter: 0.5, random: parts.random });
  }

  async start(): Promise<void> {
    this.#stopped = false;
    this.#connect();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#silence?.cancel();
    this.#request?.destroy();
  }

  #connect(): void {
    const { log } = this.#parts;
    background(
      this.#follow()
        .catch((error: unknown) => log.debug({ error: messageOf(error) }, 'the event stream ended'))
        .finally(() => this.#again()),
      log,
      'the event stream could not be followed',
    );
  }

  #again(): void {
    this.#silence?.cancel();
    this.#request?.destroy();
    if (this.#stopped) return;
    this.#parts.listener.onConnected(false);
    this.#timer = this.#parts.clock.after(this.#backoff.nextDelayMs(), () => this.#connect());
  }

  async #follow(): Promise<void> {
    const request = this.#parts.client.open('/v1/events', 'GET', { accept: 'text/event-stream' });
    this.#request = request;
    this.#watch();
    const response = await answered(request);
    if (response.statusCode !== 200) return;
    this.#backoff.reset();
    this.#parts.listener.onConnected(true);
    await this.#read(response);
  }

  async #read(response: IncomingMessage): Promise<void> {
    response.setEncoding('utf8');
    let rest = '';
    for await (const chunk of response as AsyncIterable<string>) {
      this.#watch();
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() ?? '';
      if (rest.length > MAX_EVENT_CHARACTERS) return;
      for (const block of blocks) this.#dispatch(block);
    }
  }

  #dispatch(block: string): void {
    let event = '';
    let data = '';
    for (const line of block.split('\n')) {
      if (line.startsWith('event: ')) event = line.slice(7);
      else if (line.startsWith('data: ')) data += line.slice(6);
    }
    if (event === '' || data === '') return;
    try {
      this.#parts.listener.onEvent(event, JSON.parse(data) as unknown);
    } catch (error) {
      this.#parts.log.warn({ event, error: messageOf(error) }, 'an event of the gateway was not understood');
    }
  }

  #watch(): void {
    this.#silence?.cancel();
    this.#silence = this.#parts.clock.after(SILENCE_MS, () => this.#request?.destroy());
  }
}
