import type { Writable } from 'node:stream';
import { GatewayError, messageOf } from '../../runtime/errors.ts';

/** Poll commands are some tens of bytes: more waiting than this means that nobody takes them. */
const MAX_WAITING_BYTES = 4096;

/** Writes to a stream with a bound on what waits; every promise settles, also when the stream closes under it. */
export class BoundedWriter {
  readonly #stream: Writable;
  readonly #waiting = new Set<(cause: GatewayError) => void>();

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#stream.writableLength + bytes.length > MAX_WAITING_BYTES) {
      const message = `${this.#stream.writableLength} bytes wait to be written`;
      return Promise.reject(new GatewayError('SERIAL_WRITE_STALLED', message));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      this.#stream.write(bytes, (error) => {
        this.#waiting.delete(reject);
        if (error === null || error === undefined) resolve();
        else reject(new GatewayError('SERIAL_DISCONNECTED', messageOf(error), { cause: error }));
      });
    });
  }

  /** Fails what still waits. */
  close(): void {
    for (const reject of this.#waiting) reject(new GatewayError('SERIAL_DISCONNECTED', 'the port was closed'));
    this.#waiting.clear();
  }
}
