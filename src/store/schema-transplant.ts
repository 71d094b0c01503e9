import { open } from 'node:fs/promises';

/** "Database File Format" of the SQLite documentation: the head of the first page, and the head of a b-tree page. */
const HEADER_BYTES = 100;
const INTERIOR = 5;
const PAGE_SIZE_AT = 16;
const CHANGE_COUNTER_AT = 24;
const PAGE_COUNT_AT = 28;
const FREELIST_AT = 32;
const VALID_FOR_AT = 92;
const MAX_DEPTH = 4;

/**
 * Overwrites the first page and the description of the tables in a damaged copy with those of an empty store of the same
 * version. A store's tables begin where they begin in every store, so a damaged head alone hides no data.
 */
export async function transplantSchema(emptyPath: string, damagedPath: string): Promise<void> {
  const empty = await open(emptyPath, 'r');
  const damaged = await open(damagedPath, 'r+');
  try {
    const head = Buffer.alloc(HEADER_BYTES);
    await empty.read(head, 0, HEADER_BYTES, 0);
    const pageBytes = head.readUInt16BE(PAGE_SIZE_AT) === 1 ? 65_536 : head.readUInt16BE(PAGE_SIZE_AT);
    const readPage = async (number: number): Promise<Buffer> => {
      const page = Buffer.alloc(pageBytes);
      await empty.read(page, 0, pageBytes, (number - 1) * pageBytes);
      return page;
    };
    const { size } = await damaged.stat();
    for (const number of await schemaPages(readPage, 1, 0)) {
      const page = await readPage(number);
      if (number === 1) adapt(page, Math.ceil(size / pageBytes));
      await damaged.write(page, 0, pageBytes, (number - 1) * pageBytes);
    }
  } finally {
    await empty.close();
    await damaged.close();
  }
}

/** The first page counts the file's pages and lists free ones; for reading, none are free. */
function adapt(page: Buffer, pages: number): void {
  page.writeUInt32BE(pages, PAGE_COUNT_AT);
  page.writeUInt32BE(page.readUInt32BE(CHANGE_COUNTER_AT), VALID_FOR_AT);
  page.writeUInt32BE(0, FREELIST_AT);
  page.writeUInt32BE(0, FREELIST_AT + 4);
}

async function schemaPages(
  readPage: (number: number) => Promise<Buffer>,
  number: number,
  depth: number,
): Promise<readonly number[]> {
  const page = await readPage(number);
  const at = number === 1 ? HEADER_BYTES : 0;
  if (page.readUInt8(at) !== INTERIOR || depth > MAX_DEPTH) return [number];
  const cells = page.readUInt16BE(at + 3);
  const children = Array.from({ length: cells }, (_, cell) => page.readUInt32BE(page.readUInt16BE(at + 12 + 2 * cell)));
  const pages = [number];
  for (const child of [...children, page.readUInt32BE(at + 8)])
    pages.push(...(await schemaPages(readPage, child, depth + 1)));
  return pages;
}
