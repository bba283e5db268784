import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { bundleLibrary } from './bundled.ts';

describe('the whole library for apps', () => {
  it('has no dependencies and at most 4 KB, minified and compressed', async () => {
    const { length } = gzipSync(await bundleLibrary('esm'), { level: 9 });
    expect(length).to.be.within(1_024, 4_096);
  });
});
