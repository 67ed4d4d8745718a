/** Single keys from a terminal, without Enter. */

/**
 * @param {Record<string, () => void>} actions by their key; Ctrl-C does what `q` does
 * @returns {() => void} gives the keyboard back
 */
export function onKeys(actions) {
  const { stdin } = process;
  const hear = (/** @type {Buffer} */ pressed) => {
    for (const key of pressed.toString()) actions[key === '\x03' ? 'q' : key]?.();
  };
  stdin.setRawMode(true);
  stdin.on('data', hear);
  stdin.resume();
  return () => {
    stdin.off('data', hear);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
