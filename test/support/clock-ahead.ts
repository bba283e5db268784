/** `--import` this, and the process' clock is ahead (or behind) by `CLOCK_AHEAD` seconds. */
const real = Date.now;
const ahead = Number(process.env.CLOCK_AHEAD ?? 0) * 1000;

Date.now = () => real() + ahead;
globalThis.Date = new Proxy(Date, {
  construct: (target, args, called) => Reflect.construct(target, args.length === 0 ? [Date.now()] : args, called),
  apply: () => new Date().toString(),
});
