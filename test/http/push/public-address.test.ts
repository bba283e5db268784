import { expect } from 'chai';
import { isPublicAddress, lookUpPublic } from '../../../src/http/push/public-address.ts';

describe('a public address', () => {
  it('is none of a private, local, shared, documented or multicast network', () => {
    const inside = ['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'];
    const special = ['198.18.0.1', '203.0.113.7', '224.0.0.1', '255.255.255.255', '192.0.0.8'];
    const inside6 = ['::1', '::', 'fe80::1', 'fd00::1', 'ff02::1', '::ffff:127.0.0.1', '::ffff:8.8.8.8'];
    const special6 = ['64:ff9b::7f00:1', '2001:db8::1', '2002:7f00:1::', '2001::1'];
    for (const address of [...inside, ...special, ...inside6, ...special6])
      expect(isPublicAddress(address), address).to.equal(false);
    for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2a00:1450:4001:800::200a', '2606:4700::1111'])
      expect(isPublicAddress(address), address).to.equal(true);
  });

  it('is found for a connection; a name that has another address is refused', async () => {
    expect((await lookUp('localhost', true))?.message).to.equal('localhost has an address that is not public');
    expect((await lookUp('localhost', false))?.message).to.equal('localhost has an address that is not public');
    expect(await lookUp('host.invalid', true)).to.be.instanceOf(Error);
  });
});

/** Looks a name up as a connection does. @returns the error */
function lookUp(host: string, all: boolean): Promise<Error | null> {
  return new Promise((resolve) => {
    lookUpPublic(host, { all }, (error) => resolve(error));
  });
}
