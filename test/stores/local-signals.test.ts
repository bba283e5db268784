import { LocalSignals } from '../../src/stores/local-signals.ts';
import { signalsContract } from './signals-contract.ts';

signalsContract('LocalSignals', () => ({
  signals: new LocalSignals(),
  settled: async () => undefined,
  close: () => undefined,
}));
