import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { Row, SqlValue, Statement } from './database.ts';
import { MAX_PREPARED_STATEMENTS } from './driver.ts';
import type { Phase, SqliteFault } from './sqlite-fault.ts';

/** What the main thread asks; `transaction` is one message, so nothing comes between its statements. */
export type WorkerRequest = { readonly id: number } & (
  | { readonly kind: 'open' | 'close' }
  | { readonly kind: 'read'; readonly sql: string; readonly params: readonly SqlValue[] }
  | { readonly kind: 'transaction'; readonly statements: readonly Statement[] }
);

export interface WorkerAnswer {
  readonly id: number;
  readonly rows?: readonly Row[];
  readonly fault?: SqliteFault;
}

class Connection {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
  }

  read(sql: string, params: readonly SqlValue[]): readonly Row[] {
    return this.#prepare(sql).all(...params) as readonly Row[];
  }

  transaction(statements: readonly Statement[], enter: (phase: Phase) => void): void {
    enter('begin');
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      enter('statement');
      for (const { sql, params } of statements) this.#prepare(sql).run(...params);
      enter('commit');
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      const [oldest] = this.#prepared.keys();
      if (this.#prepared.size >= MAX_PREPARED_STATEMENTS && oldest !== undefined) this.#prepared.delete(oldest);
      statement = this.#database.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}

let connection: Connection | undefined;
let phase: Phase = 'open';

function answer(request: WorkerRequest): readonly Row[] {
  if (request.kind === 'open') {
    phase = 'open';
    connection = new Connection((workerData as { path: string }).path);
    return [];
  }
  phase = 'read';
  if (connection === undefined) throw new Error('the connection is not open');
  if (request.kind === 'read') return connection.read(request.sql, request.params);
  if (request.kind === 'transaction') connection.transaction(request.statements, (entered) => (phase = entered));
  else connection.close();
  return [];
}

const faultOf = (error: unknown): SqliteFault => ({
  resultCode: error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0,
  message: error instanceof Error ? error.message : String(error),
  phase,
});

parentPort?.on('message', (request: WorkerRequest) => {
  let reply: WorkerAnswer;
  try {
    reply = { id: request.id, rows: answer(request) };
  } catch (error) {
    reply = { id: request.id, fault: faultOf(error) };
  }
  parentPort?.postMessage(reply, []);
  if (request.kind === 'close') parentPort?.close();
});
