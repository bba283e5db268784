import * as v from 'valibot';
import type { NumberEntry } from '../ticket/ticket.ts';
import { formatValue, strictObject } from './strict-object.ts';

/** The option `askPhone`. */
export interface AskPhoneOptions {
  /**
   * The way in which the user enters on the phone the number that the browser shows. `type`: as two digits, of which a
   * blind guess is right once in 90 times. `tap`: among three numbers, of which a blind tap is right once in three
   * times.
   * @default 'type'
   */
  readonly entry?: NumberEntry | undefined;
  /**
   * The time that a phone has to open the request, in seconds (10 to 120). After that the browser shows a code.
   * @default 30
   */
  readonly wait?: number | undefined;
}

/** The option as the code works with it. */
export interface AskPhoneSettings {
  readonly entry: NumberEntry;
  /** Milliseconds. */
  readonly wait: number;
}

const ENTRIES = ['type', 'tap'] satisfies NumberEntry[];
const SHORTEST_S = 10;
const LONGEST_S = 120;

function waitMessage({ input }: v.BaseIssue<unknown>): string {
  return `askPhone.wait must be a number of seconds from ${SHORTEST_S} to ${LONGEST_S}, not ${formatValue(input)}`;
}

/** The schema of the option `askPhone`. */
export const ASK_PHONE: v.GenericSchema<AskPhoneOptions, AskPhoneSettings> = strictObject(
  {
    entry: v.optional(v.picklist(ENTRIES, "askPhone.entry must be 'type' or 'tap'"), 'type'),
    wait: v.optional(
      v.pipe(
        v.number(waitMessage),
        v.minValue(SHORTEST_S, waitMessage),
        v.maxValue(LONGEST_S, waitMessage),
        v.transform((seconds) => seconds * 1000),
      ),
      30,
    ),
  },
  {
    kind: 'member of askPhone',
    otherwise: (value) => `askPhone must be an object such as { entry: 'tap', wait: 30 }, not ${formatValue(value)}`,
  },
);
