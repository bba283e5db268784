/** Types for the simulated users, who prepare browsers and phones at a server before anything is measured. */
import type { Person } from './stream.ts';

/** Sends the phone's approval at once. Resolves when the server has answered it. */
export type SendApproval = () => Promise<void>;

/** The simulated users of one server. */
export interface People {
  /** Prepares browsers up to the moment before they open their event stream. */
  readonly prepare: (count: number) => Promise<Person[]>;
  /**
   * Does all that a phone does for this browser, except for the approval.
   * @returns a function that sends the approval
   */
  readonly prepareApproval: (person: Person) => Promise<SendApproval>;
}
