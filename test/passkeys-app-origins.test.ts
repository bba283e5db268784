import { expect } from 'chai';
import { Keyv } from 'keyv';
import { passkeys } from '../src/passkeys.ts';
import { PasskeyRecords } from './fixtures/passkeys.ts';
import { Authenticator } from './security/guard/authenticator.ts';
import { PhoneVisitor } from './support/visitors.ts';
import { World } from './support/world.ts';

const APP = 'android:apk-key-hash:7d1043473d55bfa90e8530d35801d4e381bc69f0';
const NONCE = Buffer.from('a nonce of the ticket').toString('base64url');

describe('a passkey that is used on the origin of an app', () => {
  const store = new Keyv();
  let world: World;
  let passkey: Authenticator;

  before(async () => {
    world = await World.start({ passkeys: true, store });
    const phone = new PhoneVisitor({ issuer: world.issuer, client: { id: '', secret: '', callback: '' } });
    await phone.signInAt(`${world.issuer}/account`, 'alice');
    passkey = await new Authenticator(world.issuer).register(phone);
  });

  after(() => world?.stop());

  const made = (appOrigins?: string[]): ReturnType<typeof passkeys> =>
    passkeys({ issuer: world.issuer, ...new PasskeyRecords(store), ...(appOrigins && { appOrigins }) });
  const approves = async (made: ReturnType<typeof passkeys>, origin: string): Promise<boolean> => {
    const answer = passkey.answer(NONCE, { origin });
    const verified = Promise.resolve(made.guard.verify({ accountId: 'a11ce', nonces: [NONCE] } as never, answer));
    return verified.then(
      () => true,
      () => false,
    );
  };

  it('approves if the deployment lists that origin, and a passkey on the issuer’s own origin still approves', async () => {
    expect(await approves(made([APP]), APP)).to.equal(true);
    expect(await approves(made([APP]), world.issuer)).to.equal(true);
  });

  it('does not approve on any other origin', async () => {
    expect(await approves(made([APP]), 'https://app.example')).to.equal(false);
    expect(await approves(made(), APP)).to.equal(false);
  });

  it('does not sign a browser in', async () => {
    const { signIn } = made([APP]);
    const refused = await Promise.resolve(signIn.verify([NONCE], passkey.answer(NONCE, { origin: APP }))).catch(
      (error: Error) => error,
    );
    expect(refused).to.be.instanceOf(Error);
  });
});
