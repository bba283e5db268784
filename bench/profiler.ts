/** Where a program spends its time: V8's own sampling, asked for from outside by the program's questions. */
import { type Profiler, Session } from 'node:inspector';

export type Profile = Profiler.Profile;

/** Microseconds between two samples. */
const INTERVAL = 500;

const session: Session = new Session();

/** Questions that a program {@link answers} along with its own. */
export const profiling = {
  startProfile: async (): Promise<void> => {
    session.connect();
    await answered((done) => session.post('Profiler.enable', done));
    await answered((done) => session.post('Profiler.setSamplingInterval', { interval: INTERVAL }, done));
    await answered((done) => session.post('Profiler.start', done));
  },
  stopProfile: (): Promise<Profile> =>
    new Promise((resolve, reject) => {
      session.post('Profiler.stop', (error, { profile }) => {
        session.disconnect();
        if (error) reject(error);
        else resolve(profile);
      });
    }),
};

function answered(ask: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => ask((error) => (error ? reject(error) : resolve())));
}
