/** What a victim does. `= N` in its journal: so many values or bytes were accepted; `g N`: it got number N. */

/**
 * @typedef {object} Scope
 * @property {any} zoosync
 * @property {(line: string) => void} note
 * @property {() => void} arm
 * @property {any} plan
 */

const value = (/** @type {number} */ n) => ({ n, text: 'z'.repeat(n * 10) });
/** Longer than a few of the ring's records. */
const chunk = (/** @type {number} */ position, /** @type {number} */ size) =>
  Buffer.from(Array.from({ length: size }, (_, i) => (position + i) & 255));

/** @param {Scope} scope @param {(channel: any) => Promise<void>} use */
async function withChannel({ zoosync, plan, arm }, use) {
  arm();
  const channel = zoosync.Channel.create(plan.name, plan.options);
  await use(channel);
}

/** @type {Record<string, (scope: Scope) => Promise<void>>} */
export const roles = {
  /** One value after the other. */
  send: (scope) =>
    withChannel(scope, async (channel) => {
      for (let n = 0; n < 4; n += 1) {
        await channel.send(value(n));
        scope.note(`= ${n + 1}`);
      }
      await channel.close();
      scope.note('closed');
    }),
  sendMany: (scope) =>
    withChannel(scope, async (channel) => {
      await channel.sendMany([0, 1, 2, 3].map(value));
      scope.note('= 4');
      await channel.close();
      scope.note('closed');
    }),
  trySend: (scope) =>
    withChannel(scope, async (channel) => {
      for (let n = 0; n < 3; n += 1) {
        if (channel.trySend(value(n))) scope.note(`= ${n + 1}`);
      }
      await channel.close(new RangeError('no more'));
      scope.note('failed');
    }),
  /** More than fits: it waits for its reader. */
  waits: (scope) =>
    withChannel(scope, async (channel) => {
      for (let n = 0; n < 8; n += 1) {
        await channel.send(value(n));
        scope.note(`= ${n + 1}`);
      }
      await channel.close();
      scope.note('closed');
    }),
  pipeline: async (scope) => {
    const { zoosync, plan, arm, note } = scope;
    arm();
    const channel = zoosync.Channel.create(plan.name, plan.options);
    await zoosync.Stream.range(0, 12)
      .stage(async (/** @type {number} */ n) => value(n), { workers: 3 })
      .to(channel);
    note('= 12');
    note('closed');
  },
  broadcast: async (scope) => {
    const { zoosync, plan, arm, note } = scope;
    arm();
    const all = new zoosync.Broadcast(zoosync.Stream.range(0, 6).map(value));
    const channels = [plan.name, `${plan.name}.too`].map((name) =>
      zoosync.Channel.create(name, plan.options),
    );
    const runs = channels.map((channel) => all.stream({ buffer: 4 }).to(channel));
    await all.run();
    await Promise.all(runs);
    note('= 6');
    note('closed');
  },
  write: async ({ zoosync, plan, arm, note }) => {
    arm();
    const pipe = zoosync.ZooPipe.create(plan.name, plan.options);
    let position = 0;
    for (const size of [10, 3000, 30_000]) {
      await pipe.write(chunk(position, size));
      position += size;
      note(`= ${position}`);
    }
    await pipe.end();
    note('closed');
  },
  writeSync: async ({ zoosync, plan, arm, note }) => {
    arm();
    const pipe = zoosync.ZooPipe.create(plan.name, plan.options);
    for (let position = 0; position < 400; position += 100) {
      if (pipe.writeSync(chunk(position, 100))) note(`= ${position + 100}`);
    }
    pipe.fail(new RangeError('no more'));
    note('failed');
  },

  /** Opens what there is, and reads one after the other. */
  receive: async ({ zoosync, plan, arm, note }) => {
    arm();
    const channel = await zoosync.Channel.open(plan.name, { ...plan.options, timeout: 20_000 });
    for (let n = 0; n < 4; n += 1) note(`g ${(await channel.receive()).n}`);
    await channel[Symbol.asyncDispose]();
    note('closed');
  },
  loop: async ({ zoosync, plan, arm, note }) => {
    arm();
    const channel = await zoosync.Channel.open(plan.name, { ...plan.options, timeout: 20_000 });
    let n = 0;
    for await (const item of channel) {
      note(`g ${item.n}`);
      n += 1;
      if (n === 5) break;
    }
    await channel[Symbol.asyncDispose]();
    note('closed');
  },
  views: async ({ zoosync, plan, arm, note }) => {
    arm();
    const channel = await zoosync.Channel.open(plan.name, { ...plan.options, timeout: 20_000 });
    let n = 0;
    for await (const view of channel.views()) {
      note(`v ${view.seq} ${view.deliveries}`);
      n += 1;
      if (n === 4) break;
    }
    await channel[Symbol.asyncDispose]();
    note('closed');
  },
  /** Everything, up to the death of the writer. */
  drain: async ({ zoosync, plan, arm, note }) => {
    arm();
    const channel = await zoosync.Channel.open(plan.name, { ...plan.options, timeout: 20_000 });
    try {
      for await (const item of channel) note(`g ${item.n}`);
    } catch (error) {
      if (/** @type {any} */ (error).code !== 'ERR_ZOO_PEER_DIED') throw error;
      note('learnt');
    }
    await channel[Symbol.asyncDispose]();
    note('closed');
  },
  /** Puts of every kind. */
  put: async ({ zoosync, plan, arm, note }) => {
    arm();
    const queue = zoosync.ZooQueue.create(plan.name, {
      ...plan.options,
      codec: 'bytes',
      writer: true,
    });
    const message = (/** @type {number} */ n) => Buffer.from([n, n, n]);
    queue.putBytesSync(message(0));
    note('= 1');
    await queue.putBytesMany([1, 2, 3].map(message));
    note('= 4');
    queue.abortWrite(queue.reserveSync(20).cursor);
    const place = await queue.reserve(30);
    place.view.fill(4);
    queue.commitWrite(place.cursor, 3);
    note('= 5');
    queue.end();
    note('closed');
    queue.close();
  },
  /** Takes of every kind. */
  take: async ({ zoosync, plan, arm, note }) => {
    arm();
    const queue = zoosync.ZooQueue.open(plan.name, { codec: 'bytes', group: plan.options.group });
    note(`g ${queue.getBytesSync()[0]}`);
    for (const bytes of await queue.getBytesMany(2)) note(`g ${bytes[0]}`);
    const views = await queue.recvViews(3);
    for (const { view, deliveries } of views) note(`v ${view[0]} ${deliveries}`);
    const [first, second, third] = views;
    queue.commitRead(second.cursor);
    note(`g ${second.view[0] ?? 4}`);
    queue.rejectRead(third.cursor);
    queue.commitRead(first.cursor);
    note('g 3');
    queue.close();
    note('closed');
  },
  /** Waits in the thread, and takes in place. */
  takeSync: async ({ zoosync, plan, arm, note }) => {
    const queue = zoosync.ZooQueue.open(plan.name, { codec: 'bytes', group: plan.options.group });
    arm();
    for (let n = 0; n < 7; n += 1) {
      const { view, cursor } = queue.recvViewSync();
      note(`v ${view[0]} 1`);
      const number = view[0];
      queue.commitRead(cursor);
      note(`g ${number}`);
    }
    try {
      queue.recvViewSync({ timeout: 30 });
    } catch {
      note('nothing more');
    }
    queue.close();
    note('closed');
  },
  /** Older messages give way. */
  overflow: async ({ zoosync, plan, arm, note }) => {
    const queue = zoosync.ZooQueue.open(plan.name, { codec: 'bytes', group: 'all' });
    arm();
    for (let n = 0; n < 12; n += 1) {
      queue.putBytesSync(Buffer.alloc(900, n));
      note(`= ${n + 1}`);
    }
    queue.close();
    note('closed');
  },
  /** In place of what a dead process has left. */
  replace: async ({ zoosync, plan, arm, note }) => {
    arm();
    const channel = zoosync.Channel.create(plan.name, plan.options);
    note('made');
    await channel.send({ n: 100, text: '' });
    note('= 1');
    await channel.close();
    note('closed');
  },
  read: async ({ zoosync, plan, arm, note }) => {
    arm();
    const pipe = await zoosync.ZooPipe.open(plan.name, { timeout: 20_000 });
    let got = 0;
    for (const size of [1, 5, 2000, 3000]) {
      got += (await pipe.read(size)).length;
      note(`g ${got}`);
    }
    await pipe[Symbol.asyncDispose]();
    note('closed');
  },
};
