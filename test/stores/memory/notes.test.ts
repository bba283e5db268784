import { expect } from 'chai';
import { KeyvNotes } from '../../../src/stores/memory/notes.ts';
import { refused } from '../../ticket/builders.ts';
import { FlakyBackend, keyvOver } from './keyv-stores.ts';

const A_MINUTE = 60_000;

describe('KeyvNotes when its backend is out of reach', () => {
  let backend: FlakyBackend;
  let notes: KeyvNotes;

  beforeEach(() => {
    backend = new FlakyBackend();
    notes = new KeyvNotes(keyvOver(backend, false));
  });

  it('does not take a note for absent', async () => {
    await notes.write('name', A_MINUTE);
    backend.down = 'reads';
    expect((await refused(notes.read('name'))).code).to.equal('store_unavailable');
  });

  it('does not take a note for written', async () => {
    backend.down = 'writes';
    expect((await refused(notes.write('name', A_MINUTE))).code).to.equal('store_unavailable');
    backend.down = 'nothing';
    expect(await notes.read('name')).to.equal(undefined);
  });
});
