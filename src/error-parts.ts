/** Takes an error apart into names and values that can be sent, and puts it together again. */

/** An error as data. The first `hidden` properties are not enumerable, as the engine makes them. */
export interface ErrorParts {
  readonly className: string;
  readonly names: readonly string[];
  readonly values: readonly unknown[];
  readonly hidden: number;
}

const classes: Readonly<Record<string, ErrorConstructor | typeof AggregateError>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  AggregateError,
};

/** Errors of a class of the user arrive as the built-in class below it, with their own name. */
function builtInClassOf(error: Error): string {
  for (let link: unknown = Object.getPrototypeOf(error); link; link = Object.getPrototypeOf(link)) {
    const name = (link as { constructor?: { name?: unknown } }).constructor?.name;
    if (typeof name === 'string' && Object.hasOwn(classes, name)) return name;
  }
  return 'Error';
}

/** Message, stack, name, code, cause, errors, and every enumerable property of its own. */
export function takeErrorApart(error: Error): ErrorParts {
  const className = builtInClassOf(error);
  const names: string[] = [];
  const values: unknown[] = [];
  const source = error as Error & Record<string, unknown>;
  const add = (name: string): void => {
    names.push(name);
    values.push(source[name]);
  };
  const isVisible = (name: string): boolean =>
    Object.prototype.propertyIsEnumerable.call(error, name);
  for (const name of ['message', 'stack', 'cause', 'errors']) {
    if (Object.hasOwn(error, name) && !isVisible(name)) add(name);
  }
  // A DOMException has its message on the prototype, a class its name.
  if (!names.includes('message') && !isVisible('message') && error.message !== '') add('message');
  if (!isVisible('name') && error.name !== className) add('name');
  if (!isVisible('code') && source['code'] !== undefined) add('code');
  const hidden = names.length;
  for (const name of Object.keys(error)) add(name);
  return { className, names, values, hidden };
}

/** An error without its properties: they may lead back to it, so they are set in a second step. */
export function emptyError(className: string): Error {
  const known = Object.hasOwn(classes, className) ? classes[className] : undefined;
  const error =
    known === AggregateError
      ? new AggregateError([])
      : new ((known as ErrorConstructor | undefined) ?? Error)();
  Reflect.deleteProperty(error, 'errors');
  // The stack of the decoder says nothing about the error.
  Object.defineProperty(error, 'stack', { value: undefined, configurable: true, writable: true });
  return error;
}

export function setErrorProperty(
  error: Error,
  name: string,
  value: unknown,
  hidden: boolean,
): void {
  Object.defineProperty(error, name, {
    value,
    enumerable: !hidden,
    configurable: true,
    writable: true,
  });
}
