import type sqlite3 from 'sqlite3';
import type { Row, SqlValue, Statement } from './database.ts';
import { type Driver, MAX_PREPARED_STATEMENTS } from './driver.ts';
import { type Phase, closedError, gatewayErrorOf } from './sqlite-fault.ts';

/** npm `sqlite3`: its calls run in the library's thread pool. It is optional, so it is loaded only here and only when asked for. */
export async function connectSqlite3(path: string): Promise<Driver> {
  const { default: library } = await import('sqlite3');
  const connection = await new Promise<sqlite3.Database>((resolve, reject) => {
    const opened = new library.Database(path, (error) => {
      if (error === null) resolve(opened);
      else reject(faultOf(error, 'open', { path }));
    });
  });
  return new Sqlite3Driver(connection, library.VERSION);
}

const faultOf = (error: unknown, phase: Phase, context: { sql?: string; path?: string }): Error =>
  gatewayErrorOf(
    {
      resultCode: error instanceof Error && 'errno' in error ? Number(error.errno) : 0,
      message: error instanceof Error ? error.message : String(error),
      phase,
    },
    context,
  );

class Sqlite3Driver implements Driver {
  readonly name = 'sqlite3';
  readonly sqliteVersion: string;
  readonly #connection: sqlite3.Database;
  readonly #prepared = new Map<string, sqlite3.Statement>();
  /** Settles when the call before has ended: one connection has one transaction, and a read must not see half of it. */
  #last: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(connection: sqlite3.Database, sqliteVersion: string) {
    this.#connection = connection;
    this.sqliteVersion = sqliteVersion;
  }

  read(sql: string, params: readonly SqlValue[] = []): Promise<readonly Row[]> {
    return this.#inTurn(() => this.#all(sql, params));
  }

  transaction(statements: readonly Statement[]): Promise<void> {
    return this.#inTurn(() => this.#transaction(statements));
  }

  close(): Promise<void> {
    this.#closing ??= this.#afterLast(async () => {
      await Promise.all(
        [...this.#prepared.values()].map(
          (statement) => new Promise<void>((resolve) => statement.finalize(() => resolve())),
        ),
      );
      await new Promise<void>((resolve, reject) => {
        this.#connection.close((error) => (error === null ? resolve() : reject(faultOf(error, 'commit', {}))));
      });
    });
    return this.#closing;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#closing === undefined ? this.#afterLast(work) : Promise.reject(closedError());
  }

  #afterLast<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn;
    return turn;
  }

  async #transaction(statements: readonly Statement[]): Promise<void> {
    await this.#run('BEGIN IMMEDIATE', [], 'begin');
    try {
      for (const { sql, params } of statements) await this.#run(sql, params, 'statement');
      await this.#run('COMMIT', [], 'commit');
    } catch (error) {
      await this.#rollback();
      throw error;
    }
  }

  /** SQLite has rolled back by itself after some failures (FULL, IOERR): then there is nothing left to do. */
  #rollback(): Promise<void> {
    return this.#run('ROLLBACK', [], 'commit').catch(() => undefined);
  }

  async #run(sql: string, params: readonly SqlValue[], phase: Phase): Promise<void> {
    const statement = await this.#prepare(sql, phase);
    await new Promise<void>((resolve, reject) => {
      statement.run(params, (error) => (error === null ? resolve() : reject(faultOf(error, phase, { sql }))));
    });
  }

  async #all(sql: string, params: readonly SqlValue[]): Promise<readonly Row[]> {
    const statement = await this.#prepare(sql, 'read');
    return new Promise<readonly Row[]>((resolve, reject) => {
      statement.all<Row>(params, (error, rows) =>
        error === null ? resolve(rows) : reject(faultOf(error, 'read', { sql })),
      );
    });
  }

  async #prepare(sql: string, phase: Phase): Promise<sqlite3.Statement> {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = await new Promise<sqlite3.Statement>((resolve, reject) => {
      const prepared = this.#connection.prepare(sql, (error) =>
        error === null ? resolve(prepared) : reject(faultOf(error, phase, { sql })),
      );
    });
    this.#forgetOldest();
    this.#prepared.set(sql, statement);
    return statement;
  }

  #forgetOldest(): void {
    const oldest = this.#prepared.keys().next();
    if (this.#prepared.size < MAX_PREPARED_STATEMENTS || oldest.done === true) return;
    this.#prepared.get(oldest.value)?.finalize();
    this.#prepared.delete(oldest.value);
  }
}
