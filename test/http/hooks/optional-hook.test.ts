import { expect } from 'chai';
import { OptionalHook } from '../../../src/http/hooks/optional-hook.ts';

/** Makes a hook that gives the length of the text that its function returns. @param read called for each result */
function lengthHook(read?: () => void): OptionalHook<number> {
  return new OptionalHook({
    name: 'measure',
    returns: 'a text, or undefined',
    gives: 'length',
    warning: 'QR_LOGIN_TEST',
    read: (result) => {
      read?.();
      return typeof result === 'string' ? result.length : undefined;
    },
  });
}

describe('a function of the deployment that a request can do without', () => {
  let warnings: string[];
  const note = (warning: Error & { code?: string }): void => {
    if (warning.code === 'QR_LOGIN_TEST') warnings.push(warning.message);
  };

  beforeEach(() => {
    warnings = [];
    process.on('warning', note);
  });

  afterEach(() => process.off('warning', note));

  /** Waits until Node.js has emitted the warnings. */
  const untilWarningsEmitted = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('gives its result, which is read once', async () => {
    let reads = 0;
    const hook = lengthHook(() => reads++);
    expect(await hook.ask(async () => 'four')).to.equal(4);
    expect(reads).to.equal(1);
  });

  it('gives nothing if it returns undefined or null, and causes no warning', async () => {
    const hook = lengthHook();
    expect(await hook.ask(() => undefined)).to.equal(undefined);
    expect(await hook.ask(() => null)).to.equal(undefined);
    await untilWarningsEmitted();
    expect(warnings).to.deep.equal([]);
  });

  it('gives nothing if it throws or returns another value, and causes one warning until it works again', async () => {
    const hook = lengthHook();
    expect(await hook.ask(() => 4)).to.equal(undefined);
    expect(await hook.ask(() => Promise.reject(new Error('no ruler')))).to.equal(undefined);
    await untilWarningsEmitted();
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.equal(
      'measure() gives no length: TypeError: measure() must return a text, or undefined, not 4',
    );
    await hook.ask(() => 'four');
    await hook.ask(() => Promise.reject(new Error('no ruler')));
    await untilWarningsEmitted();
    expect(warnings).to.have.length(2);
    expect(warnings[1]).to.equal('measure() gives no length: Error: measure() failed: no ruler');
  });
});
