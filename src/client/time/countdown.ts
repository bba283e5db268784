/** Shows the time that is left in the current state, as digits and as a ring. */
import { announce, find, page } from '../page.ts';
import { minutesAndSeconds } from './minutes-and-seconds.ts';

const countdowns = page.querySelectorAll<HTMLElement>('[data-countdown]');
/** The page counts down only the last seconds of a state, because there is no hurry before. */
const SHOWN_S = 20;
/** If less time than this is left to act, a live region says so a single time, for users who cannot see the ring. */
const SOON_S = 30;

let endsAt = 0;
let hasAnnounced = false;

/** @param seconds the time until the state ends */
export function countDown(seconds: number): void {
  endsAt = Date.now() + seconds * 1000;
  // A state that lasts `SOON_S` seconds or less needs no announcement.
  hasAnnounced = seconds <= SOON_S;
  showTimeLeft();
}

export function showTimeLeft(): void {
  const seconds = Math.max(0, Math.ceil((endsAt - Date.now()) / 1000));
  const text = minutesAndSeconds(seconds);
  for (const countdown of countdowns) {
    countdown.hidden = seconds > SHOWN_S;
    find(countdown, '[data-time]').textContent = text;
    const gone = 100 - (100 * seconds) / SHOWN_S;
    find<SVGElement>(countdown, '[data-left]').style.strokeDashoffset = `${Math.max(0, gone)}`;
  }
  const userMustAct = page.dataset.screen === 'scanned' || page.dataset.screen === 'check-code';
  if (!userMustAct || hasAnnounced || seconds > SOON_S || seconds === 0) return;
  hasAnnounced = true;
  announce(page.dataset.soon ?? '');
}
