import type { Reply } from './reply.js';

/** What is held back. */
type Held = Pick<Reply, 'pause' | 'resume'>;

/** A reply counts from this many bytes on that it holds: small ones come and go at once. */
const SMALL = 65_536;
/** So many bytes may be held together before replies are read one after another. */
const ROOM = 16_777_216;
/** A reply whose turn it is, and that brings nothing for so many milliseconds, lets the next one go on. */
const TURN = 1_000;

/**
 * Bounds the memory of replies that are under way, and of messages for which the client has no time yet. While there is
 * room all replies are read at once; beyond it one after another, the oldest first; and none while the client alone
 * fills the room. Small replies are always read.
 */
export class Intake {
  readonly #room: number;
  readonly #patience: number;
  /** Bytes that each large reply holds, the oldest reply first. */
  readonly #held = new Map<Held, number>();
  readonly #paused = new Set<Held>();
  #sum = 0;
  /** Bytes of messages that were handed over, but for which the client has no time yet. */
  #queued = 0;
  #turn: NodeJS.Timeout | undefined;
  /** The first reply with its bytes, as they were at the last look. */
  #seen: readonly [Held, number] | undefined;

  /** @param options how much may be held, in bytes, and how long a turn may bring nothing, in milliseconds */
  constructor({ room = ROOM, turn = TURN }: { readonly room?: number; readonly turn?: number } = {}) {
    this.#room = room;
    this.#patience = turn;
  }

  /** Notes how many bytes of an unfinished message a reply holds, and pauses it where there is no room. */
  hold(reply: Held, bytes: number): void {
    const before = this.#held.get(reply) ?? 0;
    const now = bytes > SMALL ? bytes : 0;
    if (now === before) return;
    if (now === 0) this.#held.delete(reply);
    else this.#held.set(reply, now);
    this.#sum += now - before;
    if (now < before) this.#goOn(reply);
    else if (!this.#mayRead(reply)) this.#pause(reply);
  }

  /** Notes that a message was handed over; `wait` is what the client asked for. */
  handOver(bytes: number, wait: Promise<void>): void {
    this.#queued += bytes;
    const done = (): void => {
      this.#queued -= bytes;
      this.#goOn();
    };
    void wait.then(done, done);
  }

  #mayRead(reply: Held): boolean {
    if (this.#sum + this.#queued <= this.#room) return true;
    return this.#queued <= this.#room && this.#first?.[0] === reply;
  }

  get #first(): readonly [Held, number] | undefined {
    return this.#held.entries().next().value;
  }

  #pause(reply: Held): void {
    reply.pause();
    this.#paused.add(reply);
    this.#beginTurn();
  }

  /** Reads on where there is room, now that there is more of it. */
  #goOn(released?: Held): void {
    if (released !== undefined) this.#paused.delete(released);
    for (const reply of this.#paused) {
      if (!this.#mayRead(reply)) continue;
      this.#paused.delete(reply);
      reply.resume();
    }
  }

  #beginTurn(): void {
    if (this.#turn !== undefined) return;
    this.#turn = setTimeout(() => this.#endTurn(), this.#patience).unref();
  }

  #endTurn(): void {
    this.#turn = undefined;
    const first = this.#first;
    if (this.#paused.size === 0 || first === undefined) return;
    const [reply, bytes] = first;
    if (this.#seen?.[0] === reply && this.#seen[1] === bytes && !this.#paused.has(reply)) {
      this.#held.delete(reply);
      this.#held.set(reply, bytes);
      this.#goOn();
    }
    this.#seen = this.#first;
    if (this.#paused.size > 0) this.#beginTurn();
  }
}
