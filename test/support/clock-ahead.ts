/**
 * Shifts the clock of a process that imports this module: `CLOCK_AHEAD` seconds ahead, or behind if the value is
 * negative.
 */
const real = Date.now;
const ahead = Number(process.env.CLOCK_AHEAD ?? 0) * 1000;

Date.now = () => real() + ahead;
globalThis.Date = new Proxy(Date, {
  construct: (target, args, called) => Reflect.construct(target, args.length === 0 ? [Date.now()] : args, called),
  apply: () => new Date().toString(),
});
