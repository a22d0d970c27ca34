/**
 * Waits for work of others, but not for ever.
 *
 * @param patience milliseconds, or `Infinity`
 * @throws Error when it has not settled by then; what becomes of it later is of no interest
 */
export async function inTime<T>(work: PromiseLike<T>, patience: number): Promise<T> {
  if (patience === Infinity) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not settle within ${patience / 1000} s`)), patience);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
