/** Keeps what has come until somebody asks for it, and lets one wait for what has not come yet. */
export class Inbox<T> {
  readonly #kept: T[] = [];
  readonly #waiting = new Set<() => void>();

  put(item: T): void {
    this.#kept.push(item);
    for (const look of this.#waiting) look();
  }

  /** Takes out the first item that fits, as soon as there is one. */
  next(fits: (item: T) => boolean = () => true): Promise<T> {
    return new Promise((resolve) => {
      const look = (): void => {
        const at = this.#kept.findIndex(fits);
        if (at === -1) return;
        this.#waiting.delete(look);
        resolve(this.#kept.splice(at, 1)[0]!);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
