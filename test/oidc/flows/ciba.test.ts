import { expect } from 'chai';
import { genericGrantRequest, initiateBackchannelAuthentication } from 'openid-client';
import { errorOf, RelyingParty, withFeatures } from '../../support/relying-party.ts';
import { testClient, World } from '../../support/world.ts';

const CIBA_GRANT = 'urn:openid:params:grant-type:ciba';

describe('a CIBA request', () => {
  it('is answered by the provider, and no QR code is shown', async () => {
    let asked = '';
    const triggered = { grantOf: (_id: string): Promise<void> => Promise.resolve() };
    const ciba = {
      enabled: true,
      processLoginHint: (_ctx: unknown, hint?: string) => (hint === 'alice' ? 'a11ce' : undefined),
      validateRequestContext: () => undefined,
      validateBindingMessage: () => undefined,
      verifyUserCode: () => undefined,
      triggerAuthenticationDevice: (_ctx: unknown, { jti }: { jti: string }) => triggered.grantOf(jti),
    };
    const till = testClient('till', {
      grant_types: [CIBA_GRANT],
      response_types: [],
      redirect_uris: [],
      backchannel_token_delivery_mode: 'poll',
    });
    await World.during({ clients: [till], configuration: withFeatures({ ciba }) }, async (world) => {
      triggered.grantOf = async (id) => {
        asked = id;
        const grant = new world.provider.Grant({ clientId: 'till', accountId: 'a11ce' });
        grant.addOIDCScope('openid');
        await grant.save();
        await world.provider.backchannelResult(id, grant);
      };
      const shown = world.count('qr_login.shown');
      const { configuration } = await RelyingParty.at(world, 'till');
      const request = { scope: 'openid', login_hint: 'alice' };
      const { auth_req_id: authReqId } = await initiateBackchannelAuthentication(configuration, request);
      expect(asked).to.equal(authReqId);
      const tokens = await genericGrantRequest(configuration, CIBA_GRANT, { auth_req_id: authReqId });
      expect(tokens.claims()).to.include({ sub: 'a11ce', aud: 'till' });
      const unknown = initiateBackchannelAuthentication(configuration, { ...request, login_hint: 'nobody' });
      expect(await errorOf(unknown)).to.equal('unknown_user_id');
      expect(shown()).to.equal(0);
    });
  });
});
