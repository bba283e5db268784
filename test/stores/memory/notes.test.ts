import { expect } from 'chai';
import { KeyvNotes } from '../../../src/stores/memory/notes.ts';
import { awaitRefusal } from '../../ticket/builders.ts';
import { FlakyBackend, keyvOver } from './keyv-stores.ts';

const MINUTE_MS = 60_000;

describe('KeyvNotes when its backend is unavailable', () => {
  let backend: FlakyBackend;
  let notes: KeyvNotes;

  beforeEach(() => {
    backend = new FlakyBackend();
    notes = new KeyvNotes(keyvOver(backend, false));
  });

  it('fails to read a note instead of reporting that there is none', async () => {
    await notes.write('name', MINUTE_MS);
    backend.down = 'reads';
    expect((await awaitRefusal(notes.read('name'))).code).to.equal('store_unavailable');
  });

  it('fails to write a note instead of reporting success', async () => {
    backend.down = 'writes';
    expect((await awaitRefusal(notes.write('name', MINUTE_MS))).code).to.equal('store_unavailable');
    backend.down = 'nothing';
    expect(await notes.read('name')).to.equal(undefined);
  });
});
