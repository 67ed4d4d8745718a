/** The books of a queue, kept outside of it: what was put, what was handed out, and whether the two agree. */

/**
 * What one group did with one message.
 * @typedef {object} Entry
 * @property {number} finals how often it was taken for good
 * @property {boolean} inDoubt whoever committed it died or left before saying so
 * @property {Set<number>} deliveries
 */

export class Ledger {
  /** Messages whose put returned, and those whose put had only begun. */
  #accepted = new Set();
  #begun = new Set();
  /** @type {Map<string, Map<string, Entry>>} */
  #groups = new Map();
  /** What may be missing in a group. @type {Map<string, number>} */
  #allowance = new Map();

  /** @param {number} maxDeliveries @param {(text: string) => void} violation */
  constructor(maxDeliveries, violation) {
    this.maxDeliveries = maxDeliveries;
    this.violation = violation;
    this.deaths = 0;
  }

  /** @param {string} group @param {string} message @returns {Entry} */
  #entry(group, message) {
    let messages = this.#groups.get(group);
    if (!messages) this.#groups.set(group, (messages = new Map()));
    let entry = messages.get(message);
    if (!entry)
      messages.set(message, (entry = { finals: 0, inDoubt: false, deliveries: new Set() }));
    return entry;
  }

  /** @param {string} group @param {number} messages */
  mayMiss(group, messages) {
    this.#allowance.set(group, (this.#allowance.get(group) ?? 0) + messages);
  }

  /** Reads the journal of one life of a peer. @param {string} role @param {number} id @param {string} group @param {string[]} lines */
  read(role, id, group, lines) {
    for (const line of lines) {
      if (line.startsWith('!')) this.violation(`${role} ${id}: ${line}`);
    }
    if (role === 'producer') this.#readProducer(id, lines);
    else this.#readConsumer(id, group, lines);
  }

  /** @param {number} id @param {string[]} lines */
  #readProducer(id, lines) {
    for (const line of lines) {
      const [mark, first, last] = line.split(' ');
      if (mark !== '+' && mark !== '=') continue;
      const target = mark === '=' ? this.#accepted : this.#begun;
      for (let number = Number(first); number <= Number(last); number += 1)
        target.add(`${id} ${number}`);
    }
  }

  /** @param {number} id @param {string} group @param {string[]} lines */
  #readConsumer(id, group, lines) {
    let taking = 0;
    /** @type {Set<string>} */
    const committing = new Set();
    /** @type {Map<string, number>} */
    const last = new Map();
    for (const line of lines) {
      const [mark, sender = '', number = '', deliveries] = line.split(' ');
      const message = `${sender} ${number}`;
      if (mark === 't') taking = Number(sender);
      if (mark === 'f') taking = 0;
      if (mark === 'h') last.clear();
      if (mark === 'g') {
        taking -= 1;
        this.#final(group, message, 'taken');
      }
      if (mark === 'C') committing.add(message);
      if (mark === 'c') {
        committing.delete(message);
        this.#final(group, message, 'committed');
      }
      if (mark === 'v') {
        this.#delivered(group, message, Number(deliveries));
        if (deliveries !== '1') continue;
        const before = last.get(sender) ?? -1;
        if (Number(number) <= before) {
          this.violation(
            `consumer ${id} of ${group} got ${message} after ${before} of the same producer`,
          );
        }
        last.set(sender, Number(number));
      }
    }
    for (const message of committing) this.#entry(group, message).inDoubt = true;
    this.mayMiss(group, taking);
    this.deaths += taking;
  }

  /** @param {string} group @param {string} message @param {string} how */
  #final(group, message, how) {
    const entry = this.#entry(group, message);
    entry.finals += 1;
    if (entry.finals > 1)
      this.violation(`${message} was ${how} in ${group}, and was taken for good before`);
  }

  /** @param {string} group @param {string} message @param {number} deliveries */
  #delivered(group, message, deliveries) {
    const entry = this.#entry(group, message);
    if (entry.deliveries.has(deliveries)) {
      this.violation(`${message} was handed out twice in ${group} as delivery ${deliveries}`);
    }
    if (deliveries > this.maxDeliveries) {
      this.violation(`${message} was handed out ${deliveries} times in ${group}`);
    }
    entry.deliveries.add(deliveries);
  }

  /** @param {string} group @param {number} sender @param {number} number @param {number} deliveries */
  drained(group, sender, number, deliveries) {
    const message = `${sender} ${number}`;
    this.#delivered(group, message, deliveries);
    this.#final(group, message, 'left');
    if (this.#entry(group, message).inDoubt) this.#entry(group, message).inDoubt = false;
  }

  /** @param {string} group @param {number} sender @param {number} number @param {number} deliveries */
  dead(group, sender, number, deliveries) {
    const message = `${sender} ${number}`;
    if (deliveries < this.maxDeliveries) {
      this.violation(`${message} is a dead letter of ${group} after ${deliveries} deliveries`);
    }
    this.#final(group, message, 'dead');
  }

  /** @param {string[]} groups */
  judge(groups) {
    for (const group of groups) {
      const messages = this.#groups.get(group) ?? new Map();
      for (const message of messages.keys()) {
        if (!this.#begun.has(message)) this.violation(`${message} in ${group} was never put`);
      }
      const missing = [...this.#accepted].filter((message) => {
        const entry = messages.get(message);
        return entry === undefined || (entry.finals === 0 && !entry.inDoubt);
      });
      const allowed = this.#allowance.get(group) ?? 0;
      if (missing.length > allowed) {
        this.violation(
          `${missing.length} messages are lost in ${group}, and ${allowed} may be: ${missing.slice(0, 8)}`,
        );
      }
    }
    return { messages: this.#begun.size, deaths: this.deaths };
  }
}
