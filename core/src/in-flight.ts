import type { RequestId } from '@modelcontextprotocol/sdk/types.js';

interface Slot<V> {
  value: V | undefined;
}

/**
 * Keeps what is under way by the id of its request, or another key, in the order of arrival. It does what a Map does,
 * without its price where entries come and go all the time: V8 leaves the tables that a busy Map has outgrown linked to
 * their successors, and the collector then carries everything that was ever in them into the old generation. Here that
 * is an empty slot. What is set anew comes last.
 */
export class InFlight<V extends {}, K = RequestId> {
  readonly #slots = new Map<K, Slot<V>>();

  get size(): number {
    return this.#slots.size;
  }

  get(id: K): V | undefined {
    return this.#slots.get(id)?.value;
  }

  has(id: K): boolean {
    return this.#slots.has(id);
  }

  set(id: K, value: V): void {
    this.delete(id);
    this.#slots.set(id, { value });
  }

  /** Takes an entry out. Returns whether there was one. */
  delete(id: K): boolean {
    const slot = this.#slots.get(id);
    if (slot === undefined) return false;
    slot.value = undefined;
    return this.#slots.delete(id);
  }

  clear(): void {
    for (const slot of this.#slots.values()) slot.value = undefined;
    this.#slots.clear();
  }

  /** Goes through all keys in the order of their arrival. */
  keys(): Iterable<K> {
    return this.#slots.keys();
  }

  /** Goes through all values in the order of their arrival. */
  *values(): Generator<V> {
    for (const { value } of this.#slots.values()) if (value !== undefined) yield value;
  }
}
