/** What is sent to the pools. */

/**
 * @typedef {object} Order
 * @property {number} id
 * @property {string} customer
 * @property {{ street: string, town: string, postcode: string }} address
 * @property {{ sku: string, count: number, price: number, inStock: boolean }[]} items
 * @property {string} note
 */

const bytesOfOrder = 1024;

/** @returns {Order} about 1 KiB as JSON: numbers, short strings, a list of objects */
export function makeOrder() {
  const order = {
    id: 4711,
    customer: 'customer-0042',
    address: { street: '12 Harbour Road', town: 'Port Ellen', postcode: 'PA42 7DU' },
    items: Array.from({ length: 12 }, (_, index) => ({
      sku: `sku-${1000 + index}`,
      count: index + 1,
      price: 10.25 * (index + 1),
      inStock: index % 3 !== 0,
    })),
    note: '',
  };
  order.note = 'n'.repeat(Math.max(0, bytesOfOrder - JSON.stringify(order).length));
  return order;
}
