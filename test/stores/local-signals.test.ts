import { expect } from 'chai';
import { RecordingListener } from '../../src/stores/contract/recording-listener.ts';
import { LocalSignals } from '../../src/stores/local-signals.ts';
import { scanned, waiting } from '../ticket/builders.ts';

describe('signals within one process', () => {
  let signals: LocalSignals;

  beforeEach(() => {
    signals = new LocalSignals();
  });

  it('are delivered before publish returns', () => {
    const ears = new RecordingListener(signals, 'interaction');
    signals.publish(waiting());
    signals.publish(scanned());
    expect(ears.heard).to.deep.equal([waiting(), scanned()]);
  });

  it('are delivered only to listeners of the same interaction, and may have no listener', () => {
    const ears = new RecordingListener(signals, 'another interaction');
    signals.publish(waiting());
    signals.doubt('interaction');
    expect([ears.heard, ears.doubts]).to.deep.equal([[], 0]);
  });

  it('tell all listeners of an interaction that a change may have been missed, without a ticket', () => {
    const [one, other] = [new RecordingListener(signals, 'interaction'), new RecordingListener(signals, 'interaction')];
    signals.doubt('interaction');
    expect([one.doubts, other.doubts, one.heard]).to.deep.equal([1, 1, []]);
  });

  it('list an interaction as watched until its last listener stops', () => {
    const [one, other] = [new RecordingListener(signals, 'interaction'), new RecordingListener(signals, 'interaction')];
    expect([...signals.watchedInteractions()]).to.deep.equal(['interaction']);
    one.stop();
    one.stop();
    expect(signals.isWatched('interaction')).to.equal(true);
    other.stop();
    expect(signals.isWatched('interaction')).to.equal(false);
    expect([...signals.watchedInteractions()]).to.deep.equal([]);
  });

  it('keep a new listener when an earlier one stops twice', () => {
    const first = new RecordingListener(signals, 'interaction');
    first.stop();
    const second = new RecordingListener(signals, 'interaction');
    first.stop();
    signals.publish(waiting());
    expect(second.heard).to.have.length(1);
  });
});
