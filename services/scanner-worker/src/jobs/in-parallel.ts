/**
 * Does a task for each item, so many at once, and gives the results in the order of the items. After a failure no further
 * task begins; it rejects when those in hand have ended.
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  limit: number,
  task: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const at = next;
      next += 1;
      try {
        results[at] = await task(items[at] as Item);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(limit, items.length) }, work);
  await Promise.allSettled(workers);
  await Promise.all(workers);
  return results;
}
