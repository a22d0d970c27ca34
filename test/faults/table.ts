import { COLUMNS, isHttp, type Column } from './column.js';
import type { Row } from './row.js';
import { playRow } from './scene.js';
import type { Subject } from './subjects.js';

/** How a row went in one column. */
export interface Cell {
  readonly column: Column;
  /** What was wrong; undefined when the row passed. */
  readonly fault: string | undefined;
}

/** How rows are played. */
export interface PlayOptions {
  readonly subject: Subject;
  /** How much heavy rows weigh: 1 is their full weight. */
  readonly scale: number;
  /** How many are played at the same time. */
  readonly lanes: number;
}

/** Starts to play rows in all their columns, and returns for each what becomes of it. Heavy rows are played alone. */
export function playAll(
  rows: readonly Row[],
  options: PlayOptions,
): ReadonlyMap<Row, Promise<readonly Cell[]>> {
  const { subject, scale, lanes } = options;
  const slots = new Slots(lanes);
  const playing = rows.map((row) => {
    const cells = columnsOf(row, subject).map((column) =>
      slots.run(row.heavy === true ? lanes : 1, async () => ({
        column,
        fault: await playRow(row, { column, subject, scale }),
      })),
    );
    return [row, Promise.all(cells)] as const;
  });
  return new Map(playing);
}

/** The columns in which a row is played; those of other people's bridges are of HTTP sessions only. */
export function columnsOf(row: Row, { foreign }: Subject): readonly Column[] {
  const columns = COLUMNS.filter((column) => row.on(column));
  if (!foreign) return columns;
  const isOurs = row.flags !== undefined || row.strategy !== undefined;
  return !isOurs ? columns.filter(({ wire, era }) => isHttp(wire) && era === 'legacy') : [];
}

/** Lets so many run at a time, first come, first served. */
class Slots {
  #free: number;
  readonly #queue: { readonly weight: number; go(): void }[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(weight: number, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((go) => {
      this.#queue.push({ weight, go });
      this.#next();
    });
    try {
      return await work();
    } finally {
      this.#free += weight;
      this.#next();
    }
  }

  #next(): void {
    for (
      let first = this.#queue[0];
      first !== undefined && first.weight <= this.#free;
      first = this.#queue[0]
    ) {
      this.#queue.shift();
      this.#free -= first.weight;
      first.go();
    }
  }
}
