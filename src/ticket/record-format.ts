import { QrLoginError } from './errors.ts';

/**
 * The highest format of a record that this build can act on. A change of the records needs a new format if older builds
 * must not act on the changed records. It needs none if older builds may keep a new field that they do not know. The
 * rules are in docs/decisions/0050-record-format.md.
 */
export const KNOWN_FORMAT = 4;

/**
 * The format of the records that this build writes. It follows {@link KNOWN_FORMAT} one minor version later, so that
 * all nodes know a format before the first one writes it.
 */
export const WRITTEN_FORMAT = 1;

/** The format of tickets for actions. An older build would show them as sign-ins, so it must not act on them. */
export const ACTION_FORMAT = 2;

/** The format of tickets for requests without a browser. With an older build, the client would get no answer. */
export const BACKCHANNEL_FORMAT = 3;

/** The format of tickets for which a browser has asked phones. With an older build, they could be approved by a tap. */
export const ASKED_FORMAT = 4;

/** A record of a store: a ticket, or a browser or a pending request on an account's list. */
export interface FormattedRecord {
  /**
   * The format that a build must know to act on the record. Builds without formats have written none: it counts as 1.
   */
  readonly format?: number;
}

/** Returns true if only a newer build can act on the record. */
export function isNewer({ format = 1 }: FormattedRecord): boolean {
  return format > KNOWN_FORMAT;
}

/** Returns the error for a record that only a newer build can act on. */
export function newerRecord({ format }: FormattedRecord): QrLoginError {
  return new QrLoginError(
    'newer_record',
    `This was written by a newer version of the server, in format ${format}; this one knows ${KNOWN_FORMAT}. Try again.`,
  );
}
