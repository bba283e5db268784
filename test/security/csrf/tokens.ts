/** Row 9 of the table in docs/security.md: the token of a form is bound to the session and the ticket. */
import { SecretKeys } from '../../../src/ticket/secret-keys.ts';
import type { PhoneVisitor, Site } from '../../support/visitors.ts';
import { both, phoneOf } from '../approver/people.ts';
import { type Attack, replacing } from '../attack.ts';
import { atTheCode, sendOwn, TARGETS } from './targets.ts';

/** A server with tokens that leave out the session or the ticket. */
const without = (part: 'session' | 'ticket'): (() => () => void) => {
  const rest = (purpose: string, parts: readonly string[]): string[] =>
    purpose === 'csrf' ? parts.filter((_, index) => index !== (part === 'session' ? 0 : 1)) : [...parts];
  const mac = replacing(
    SecretKeys.prototype,
    'mac',
    (make) =>
      function (this: SecretKeys, purpose, ...parts) {
        return make.call(this, purpose, ...rest(purpose, parts));
      },
  );
  const candidates = replacing(
    SecretKeys.prototype,
    'candidates',
    (make) =>
      function (this: SecretKeys, purpose, ...parts) {
        return make.call(this, purpose, ...rest(purpose, parts));
      },
  );
  return () => both(mac, candidates);
};

/** A server that accepts a form without a token. */
const optional = replacing(
  SecretKeys.prototype,
  'candidates',
  (make) =>
    function (this: SecretKeys, purpose, ...parts) {
      const good = make.call(this, purpose, ...parts);
      return purpose === 'csrf' ? [...good, Buffer.alloc(0)] : good;
    },
);

const phoneTargets = TARGETS.filter(({ does }) => /^(scans|approves)/.test(does));

export const tokens: Attack[] = phoneTargets.flatMap(({ does, prepare: meet }): Attack[] => [
  {
    row: 9,
    name: `a form without a token, or with a wrong one, ${does}`,
    without: { defence: 'a mandatory token', patch: optional },
    run: async (site) => {
      const victim = await meet(site);
      const { csrf = '', ...fields } = victim.fields;
      const flipped = (csrf.startsWith('A') ? 'B' : 'A') + csrf.slice(1);
      const wrong = ['', flipped, csrf.slice(0, -1), `${csrf}=`, csrf.toLowerCase(), 'null', 'A'.repeat(43)];
      for (const form of [fields, ...wrong.map((forged) => ({ ...fields, csrf: forged }))]) {
        const got = await victim.findEffect(await victim.who.post(victim.url, form));
        if (got !== undefined) return got;
      }
      await sendOwn(victim);
      return undefined;
    },
  },
  {
    row: 9,
    name: `a form with the victim's token for another ticket ${does}`,
    without: { defence: 'the ticket in the token', patch: without('ticket') },
    run: async (site) => {
      const victim = await meet(site);
      const csrf = await tokenOf(site, victim.who);
      const got = await victim.findEffect(await victim.who.post(victim.url, { ...victim.fields, csrf }));
      if (got === undefined) await sendOwn(victim);
      return got;
    },
  },
  ...['alice', 'bob'].map((name) => ({
    row: 9,
    name: `a form with the token that another phone of ${name} got for this ticket ${does}`,
    without: { defence: 'the session in the token', patch: without('session') },
    run: async (site: Site) => {
      const attacker = await phoneOf(site, name);
      let csrf = '';
      const victim = await meet(site, async (code) => {
        csrf = `${(await attacker.look(code)).json().csrf}`;
      });
      const got = await victim.findEffect(await victim.who.post(victim.url, { ...victim.fields, csrf }));
      if (got === undefined) await sendOwn(victim);
      return got;
    },
  })),
]);

async function tokenOf(site: Site, who: Pick<PhoneVisitor, 'agent'>): Promise<string> {
  const other = await atTheCode(site);
  const landed = await who.agent.get(await other.code(), { headers: { accept: 'application/json' } });
  return `${landed.json().csrf}`;
}
