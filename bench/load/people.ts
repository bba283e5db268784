/** What browsers and phones do at a server before anything is measured. */
import type { Person } from './stream.ts';

/** Sends what tells a browser, at once; resolves when that is answered. */
export type Tell = () => Promise<void>;

/** The people of one server. */
export interface People {
  /** Browsers that are about to wait. */
  readonly prepare: (count: number) => Promise<Person[]>;
  /** A phone that has done everything but the last tap. */
  readonly readyToTell: (person: Person) => Promise<Tell>;
}
