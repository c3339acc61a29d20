interface Waiting<Item> {
  item: Item;
  resolve: (answer: unknown) => void;
  reject: (error: unknown) => void;
}

/**
 * Batches the calls of one turn of the event loop, because a round trip costs more than its items.
 * @param most the most items per batch
 * @param ask resolves to one answer per item, in order; if it rejects, all items of the batch do
 */
export function createBatches<Item>(
  most: number,
  ask: (items: Item[]) => Promise<unknown[]>,
): (item: Item) => Promise<unknown> {
  let waiting: Waiting<Item>[] = [];

  async function flush(): Promise<void> {
    const batch = waiting;
    if (batch.length === 0) return;
    waiting = [];
    try {
      const answers = await ask(batch.map(({ item }) => item));
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i]);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ item, resolve, reject });
      if (waiting.length === most) void flush();
    });
}
