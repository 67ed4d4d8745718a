/** A process that holds one contender and runs it when told. Started by `contender.js`. */
const [moduleUrl = '', optionsText = '{}'] = process.argv.slice(2);

/** @type {import('./types.d.ts').Session | undefined} */
let session;

/** @param {unknown} error */
const describe = (error) => (error instanceof Error ? (error.stack ?? error.message) : `${error}`);

/** @param {{ order: 'open' | 'run' | 'close', amount?: number }} message */
async function obey({ order, amount = 0 }) {
  if (order === 'open') {
    const { open } = await import(moduleUrl);
    session = await open(JSON.parse(optionsText));
    return {};
  }
  if (order === 'run') return { sample: await session?.run(amount) };
  await session?.close();
  return {};
}

process.on('message', (message) => {
  const order = /** @type {Parameters<typeof obey>[0]} */ (message);
  obey(order)
    .catch((/** @type {unknown} */ error) =>
      error instanceof Error && error.name === 'Unavailable'
        ? { unavailable: error.message }
        : { error: describe(error) },
    )
    .then((reply) => process.send?.(reply))
    .finally(() => {
      if (order.order === 'close') process.disconnect();
    });
});
// The runner is gone: nothing is measured any more.
process.on('disconnect', () => process.exit());
