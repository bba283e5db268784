/** Starts and stops V8's sampling profiler in a program, through the questions that the program answers. */
import { type Profiler, Session } from 'node:inspector';

export type Profile = Profiler.Profile;

/** Microseconds between two samples. */
const SAMPLING_INTERVAL_US = 500;

const session: Session = new Session();

/** Handlers that a program passes to `answerQuestions` along with its own. */
export const profiling = {
  startProfile: async (): Promise<void> => {
    session.connect();
    await waitForCallback((done) => session.post('Profiler.enable', done));
    await waitForCallback((done) =>
      session.post('Profiler.setSamplingInterval', { interval: SAMPLING_INTERVAL_US }, done),
    );
    await waitForCallback((done) => session.post('Profiler.start', done));
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

function waitForCallback(ask: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => ask((error) => (error ? reject(error) : resolve())));
}
