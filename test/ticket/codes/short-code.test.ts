import { expect } from 'chai';
import { readShortCode, ShortCodes } from '../../../src/ticket/codes/short-code.ts';
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import { newTicketId } from '../../../src/ticket/ticket-id.ts';
import { alice, awaitRefusal, bob, LIFETIMES, SECRETS, signInRequest, TICKET_ID } from '../builders.ts';
import { ME, type Scene, setUpScene, showInput } from '../scene.ts';

const OLD = 'an old secret of at least thirty-two chars';
const MINUTE_MS = 60_000;

describe('the short code', () => {
  const scene = setUpScene();
  const newer = (): ShortCodes => new ShortCodes(new SecretKeys([OLD, ...SECRETS]), scene().notes);

  it('is eight characters in two groups, from an alphabet without characters that look alike', () => {
    for (let tickets = 0; tickets < 500; tickets++) {
      const shown = scene().shortCodes.show(newTicketId('interaction'));
      expect(shown).to.match(/^[2-8FKLMQRWXY]{4}-[2-8FKLMQRWXY]{4}$/);
    }
  });

  it('uses all sixteen characters equally often', () => {
    const times = new Map<string, number>();
    for (let tickets = 0; tickets < 2_000; tickets++) {
      for (const character of scene().shortCodes.show(newTicketId('interaction')).replace('-', '')) {
        times.set(character, (times.get(character) ?? 0) + 1);
      }
    }
    expect(times.size).to.equal(16);
    // Each character is expected 1,000 times, with a standard deviation of 31.
    for (const [character, often] of times) expect(often, character).to.be.within(750, 1_250);
  });

  it('is always the same for one ticket, and different under another secret', () => {
    const { shortCodes, notes } = scene();
    expect(shortCodes.show(TICKET_ID)).to.equal(new ShortCodes(new SecretKeys(SECRETS), notes).show(TICKET_ID));
    expect(shortCodes.show(TICKET_ID)).not.to.equal(new ShortCodes(new SecretKeys([OLD]), notes).show(TICKET_ID));
  });

  it('leads to its ticket only after its note is in the store', async () => {
    const { shortCodes } = scene();
    const [shown, other] = [shortCodes.show(TICKET_ID), shortCodes.show(newTicketId('another'))];
    expect(await shortCodes.find(shown)).to.equal(undefined);
    await shortCodes.note(TICKET_ID, MINUTE_MS);
    expect(await shortCodes.find(shown)).to.equal(TICKET_ID);
    expect(await shortCodes.find(other)).to.equal(undefined);
  });

  it('leads to its ticket after a key rotation, whether it was made with the old or the new secret', async () => {
    const { shortCodes } = scene();
    await shortCodes.note(TICKET_ID, MINUTE_MS);
    expect(await newer().find(shortCodes.show(TICKET_ID))).to.equal(TICKET_ID);
    const id = newTicketId('another');
    await newer().note(id, MINUTE_MS);
    const behind = new ShortCodes(new SecretKeys([...SECRETS, OLD]), scene().notes);
    for (const shown of [newer().show(id), behind.show(id)]) {
      for (const node of [newer(), behind]) expect(await node.find(shown), shown).to.equal(id);
    }
  });

  it('is never in the store, neither with the dash nor without it', async () => {
    const { shortCodes, keyv } = scene();
    await shortCodes.note(TICKET_ID, MINUTE_MS);
    const stored = JSON.stringify([...(keyv.store as Map<string, unknown>)]);
    const shown = shortCodes.show(TICKET_ID);
    expect(stored).to.include(TICKET_ID);
    for (const spelling of [shown, shown.replace('-', '')]) expect(stored).not.to.include(spelling);
  });
});

describe('the text that a user types as a short code,', () => {
  const READ = 'QLMY2568';
  const SPELLINGS = [
    'QLMY-2568',
    'qlmy2568',
    ' qlmy 2568 ',
    'q l m y - 2 5 6 8',
    'QLMY\u20132568',
    'QLMY\u22122568',
    '\u2068QLMY-2568\u2069',
    'QL\u00a0MY\u200b2568\n',
    'ＱＬＭＹ－２５６８',
    '0INVZSGB',
    'oinvzsgb',
  ];
  for (const typed of SPELLINGS) {
    it(`${JSON.stringify(typed)}, is read as ${READ}`, () => {
      expect(readShortCode(typed)).to.equal(READ);
    });
  }

  const NONE = [
    '',
    '-',
    'QLMY256',
    'QLMY25688',
    'QLMY256A',
    'QLMY2561',
    'QLMY2569',
    'QLMY256T',
    'QLMY.2568',
    'QLMY_2568',
  ];
  for (const typed of NONE) {
    it(`${JSON.stringify(typed)}, is not accepted`, () => {
      expect(readShortCode(typed)).to.equal(undefined);
    });
  }
});

describe('a ticket that is claimed by its short code', () => {
  const scene = setUpScene();
  const codeOf = async (act: Promise<unknown>): Promise<string> => (await awaitRefusal(act)).code;

  async function claimByShortCode(at: Scene, id: string): Promise<string> {
    const seen = await at.phone.findTyped(at.shortCodes.show(id));
    const { ticket } = await at.phone.scan(seen.id, alice(), { known: { ticket: seen }, typed: true });
    return ticket.state;
  }

  it('always requires the check code, unless the deployment denies the sign-in', async () => {
    for (const [verdict, state] of [
      ['allow', 'approved'],
      ['check code', 'approved'],
      ['deny', 'denied'],
    ] as const) {
      const id = (await scene().browser.renew(showInput())).ticket.id;
      expect(await claimByShortCode(scene(), id)).to.equal('scanned');
      const { ticket } = await scene().phone.approve(id, { approver: alice(), judge: () => verdict });
      expect(ticket.state).to.equal(state);
      if (ticket.state === 'approved') expect(ticket.checkCode).to.deep.equal({ wrongTries: 0 });
    }
  });

  it('still requires the check code if the same phone scans its QR code afterwards', async () => {
    const id = await scene().showCode();
    await claimByShortCode(scene(), id);
    await scene().phone.scan(id, alice());
    const { ticket } = await scene().phone.approve(id, { approver: alice() });
    expect(ticket).to.have.property('checkCode');
  });

  it('is found only by its own phone once it is scanned, even after it was approved or cancelled', async () => {
    const { phone, browser, shortCodes } = scene();
    const id = await scene().showCode();
    const shown = shortCodes.show(id);
    expect((await phone.findTyped(shown)).id).to.equal(id);
    // A response may get lost, so the same user may type the short code again.
    await claimByShortCode(scene(), id);
    expect(await claimByShortCode(scene(), id)).to.equal('scanned');
    expect(await codeOf(phone.scan(id, bob(), { typed: true }))).to.equal('not_found');
    await phone.approve(id, { approver: alice() });
    expect(await claimByShortCode(scene(), id)).to.equal('approved');
    expect(await codeOf(phone.scan(id, bob(), { typed: true }))).to.equal('not_found');
    await browser.cancel(ME);
    expect(await codeOf(claimByShortCode(scene(), id))).to.equal('over');
    expect(await codeOf(phone.scan(id, bob(), { typed: true }))).to.equal('not_found');
  });

  it('is not found once it has expired or another ticket has replaced it', async () => {
    const { phone, browser, shortCodes } = scene();
    const renewed = shortCodes.show(await scene().showCode());
    const { ticket } = await browser.renew(showInput());
    expect(await codeOf(phone.findTyped(renewed))).to.equal('not_found');
    const late = shortCodes.show(ticket.id);
    expect((await phone.findTyped(late)).id).to.equal(ticket.id);
    scene().now += LIFETIMES.scan;
    expect(await codeOf(phone.findTyped(late))).to.equal('not_found');
  });

  it('can be claimed by the right account if the wrong one has claimed it before', async () => {
    const request = signInRequest({ requirements: { subject: 'bob' } });
    const { ticket } = await scene().browser.show(showInput({ request }));
    await claimByShortCode(scene(), ticket.id);
    const right = { ...bob(), subject: 'bob' };
    const claimed = await scene().phone.scan(ticket.id, right, { typed: true });
    expect(claimed.ticket).to.include({ state: 'scanned', typed: true });
  });

  it('is not shown if its note could not be written', async () => {
    scene().notes.write = async () => {
      throw new Error('the store did not write the note');
    };
    expect(
      await scene()
        .browser.show(showInput())
        .catch((error: Error) => error.message),
    ).to.include('did not write');
    expect(await scene().browser.look(ME)).to.equal(undefined);
  });
});
