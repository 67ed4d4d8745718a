/** How the processes of an example end when the one that started them is gone. */

/**
 * Ends this process with its parent. Not with exit code 0: that would close what it has open
 * properly, and half a file would look complete.
 *
 * @param {() => void} removeName of what the parent would have removed
 * @returns {() => void} lets go of the parent, when all is done
 */
export function endWithParent(removeName) {
  const parent = process.ppid;
  const giveUp = () => {
    removeName();
    process.exit(1);
  };
  // Also when something else fails first, because the parent is gone.
  process.once('exit', () => process.ppid !== parent && removeName());
  process.once('disconnect', giveUp);
  if (!process.connected) giveUp();
  return () => {
    process.off('disconnect', giveUp);
    process.disconnect?.();
  };
}
